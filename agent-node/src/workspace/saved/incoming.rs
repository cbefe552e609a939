//! Packs that come from elsewhere. One counts when all of it is there and is what it is called.

use super::{SavedStates, Scratch, file_name};
use capstan_types::saved::record::is_pack_name;
use std::path::PathBuf;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// The longest pack that is taken, in bytes. Those of checkpoints end at a quarter of that, unless their objects are very many and tiny.
const LONGEST: u64 = 1 << 30;

/// Why a pack was not taken. For whoever brought it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("`{0}` is no name of a pack, which is 64 hexadecimal digits")]
    NoName(String),
    #[error("the pack is longer than {LONGEST} bytes")]
    TooLong,
    #[error("{0}")]
    Damaged(String),
    #[error("the pack cannot be written: {0}; see that the node's disk has room")]
    Unwritable(String),
}

/// A pack that is being brought. Dropped before its end, nothing of it is left.
#[derive(Debug)]
pub(crate) struct Incoming {
    states: SavedStates,
    scratch: Scratch,
    file: File,
    pack: String,
    length: u64,
}

impl Incoming {
    /// Begins to take the pack of that name.
    pub(crate) async fn begin(states: &SavedStates, pack: String) -> Result<Self, NotTaken> {
        if !is_pack_name(&pack) {
            return Err(NotTaken::NoName(pack));
        }
        let scratch = Scratch::make(&states.dir).map_err(unwritable)?;
        let file = File::create(path(&scratch, &pack)).await.map_err(unwritable)?;
        Ok(Self { states: states.clone(), scratch, file, pack, length: 0 })
    }

    /// Takes the next bytes of it.
    pub(crate) async fn add(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.length += bytes.len() as u64;
        if self.length > LONGEST {
            return Err(NotTaken::TooLong);
        }
        self.file.write_all(bytes).await.map_err(unwritable)
    }

    /// Has it count, if it is what it is called.
    pub(crate) async fn end(mut self) -> Result<(), NotTaken> {
        self.file.flush().await.map_err(unwritable)?;
        self.file.sync_all().await.map_err(unwritable)?;
        let (from, to, pack) = (path(&self.scratch, &self.pack), self.states.pack(&self.pack), self.pack.clone());
        let kept = tokio::task::spawn_blocking(move || {
            capstan_tree_files::check_pack(&from, &pack).map_err(|error| NotTaken::Damaged(error.to_string()))?;
            std::fs::rename(&from, &to).map_err(unwritable)?;
            let above = to.parent().map(std::fs::File::open).transpose().map_err(unwritable)?;
            above.map_or(Ok(()), |above| above.sync_all().map_err(unwritable))
        });
        kept.await.map_err(|error| NotTaken::Unwritable(error.to_string()))?
    }
}

fn path(scratch: &Scratch, pack: &str) -> PathBuf {
    scratch.0.as_path().join(file_name(pack))
}

fn unwritable(error: std::io::Error) -> NotTaken {
    NotTaken::Unwritable(error.to_string())
}
