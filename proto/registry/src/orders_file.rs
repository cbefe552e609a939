//! The orders of a registry that ends with its process, in a file that does not.

use crate::error::RegistryError;
use crate::orders::AllOrders;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Where orders are kept.
#[derive(Debug, Clone)]
pub(crate) struct OrdersFile(PathBuf);

impl OrdersFile {
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// What is kept; nothing when there is no file yet. Blocks for a file operation.
    ///
    /// # Errors
    /// The file cannot be read, or has something else in it.
    pub(crate) fn read(&self) -> Result<AllOrders, RegistryError> {
        match fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| self.failed(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(AllOrders::new()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Keeps these: all of them, or what was there before. Blocks until they are on the disk.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn write(&self, orders: &AllOrders) -> Result<(), RegistryError> {
        let bytes = serde_json::to_vec_pretty(orders).map_err(|error| self.failed(&error))?;
        let fresh = self.0.with_extension("new");
        let written = fs::File::create(&fresh).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        let kept = written.and_then(|()| fs::rename(&fresh, &self.0));
        let dir = self.0.parent().unwrap_or_else(|| Path::new("/"));
        kept.and_then(|()| fs::File::open(dir)?.sync_all()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, reason: &dyn std::fmt::Display) -> RegistryError {
        RegistryError::OrdersFile { file: self.0.display().to_string(), reason: reason.to_string() }
    }
}
