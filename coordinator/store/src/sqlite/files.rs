//! The file and the directory of a store, made before SQLite sees them so that nobody else may read them.

use super::fault::{not_prepared, open_error};
use crate::error::StoreError;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held while a file is made. Closing any descriptor of a file drops all locks that this process has on it (POSIX), so none may be
/// open when another store of this process finds the file and lets SQLite lock it.
static MAKING: Mutex<()> = Mutex::new(());

/// Makes what is missing; returns the path in absolute form. A file or directory that exists is left as it is.
pub(super) async fn prepare(path: &Path) -> Result<PathBuf, StoreError> {
    let path = std::path::absolute(path).map_err(|error| not_prepared(path, &error))?;
    let made = path.clone();
    match tokio::task::spawn_blocking(move || make(&made)).await {
        Ok(Ok(())) => Ok(path),
        Ok(Err(error)) => Err(not_prepared(&path, &error)),
        Err(stopped) => Err(open_error(&path, stopped.to_string())),
    }
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
