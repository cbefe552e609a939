//! A pack that a client brings. It counts when all of it is there and is what it is called.

use capstan_blobs::{BlobError, Blobs};
use capstan_types::saved::record::{is_pack_name, pack_blob};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// The longest pack that is taken, in bytes. Those of clients end at a quarter of that, unless their objects are very many and tiny.
const LONGEST: u64 = 1 << 30;

/// Why a pack was not taken. For whoever brought it.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It cannot be one.
    #[error("`{0}` is no name of a pack, which is 64 hexadecimal digits")]
    NoName(String),
    /// There is too much of it.
    #[error("the pack is longer than {LONGEST} bytes")]
    TooLong,
    /// It is something else than it is called.
    #[error("{0}")]
    Damaged(String),
    /// There is no room for it, most likely.
    #[error("the pack cannot be written: {0}; see that the coordinator's disk has room")]
    Unwritable(#[from] io::Error),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] BlobError),
}

/// A pack on its way in. Dropped before its end, nothing of it is left.
#[derive(Debug)]
pub struct Incoming {
    blobs: Blobs,
    dir: TempDir,
    file: File,
    pack: String,
    length: u64,
}

impl Incoming {
    /// Begins to take the pack of that name.
    ///
    /// # Errors
    /// It has no name of a pack, or there is no room.
    pub(super) async fn begin(blobs: Blobs, scratch: &Path, pack: &str) -> Result<Self, NotTaken> {
        if !is_pack_name(pack) {
            return Err(NotTaken::NoName(pack.chars().take(80).collect()));
        }
        tokio::fs::create_dir_all(scratch).await?;
        let dir = tempfile::Builder::new().prefix("upload-").tempdir_in(scratch)?;
        let file = File::create(path(&dir)).await?;
        Ok(Self { blobs, dir, file, pack: pack.to_owned(), length: 0 })
    }

    /// Takes the next bytes of it.
    ///
    /// # Errors
    /// It is too long, or there is no room.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.length += bytes.len() as u64;
        if self.length > LONGEST {
            return Err(NotTaken::TooLong);
        }
        Ok(self.file.write_all(bytes).await?)
    }

    /// Has it count, if it is what it is called.
    ///
    /// # Errors
    /// It is not, or the store cannot be used.
    pub async fn end(mut self) -> Result<(), NotTaken> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let (from, pack) = (path(&self.dir), self.pack.clone());
        let checked = tokio::task::spawn_blocking(move || capstan_tree_files::check_pack(&from, &pack));
        let checked = checked.await.map_err(|error| NotTaken::Damaged(error.to_string()))?;
        checked.map_err(|error| NotTaken::Damaged(error.to_string()))?;
        Ok(self.blobs.put_file(&pack_blob(&self.pack), &path(&self.dir)).await?)
    }
}

fn path(dir: &TempDir) -> PathBuf {
    dir.path().join("pack")
}
