//! The coordinator's own store of checkpoints: records, and the packs that they name.

use super::retention;
use super::rules::CheckpointRules;
use bytes::Bytes;
use capstan_blobs::{BlobError, Blobs};
use capstan_tree_files::check_pack;
use capstan_types::id::ThreadId;
use capstan_types::saved::CheckpointName;
use capstan_types::saved::record::{CheckpointRecord, is_pack_name, pack_blob, record_blob};
use futures::Stream;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// The longest pack that is taken in, in bytes: as long as nodes take.
const LONGEST_PACK: u64 = 1 << 30;

/// How many checkpoints are carried at once. Full: the next one waits.
const CARRIERS: usize = 4;

/// How often it is looked whether anything is carried.
const LOOK: Duration = Duration::from_millis(20);

/// A coordinator's checkpoints. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Shelf {
    pub(super) blobs: Blobs,
    rules: Arc<CheckpointRules>,
    pub(super) carriers: Arc<Semaphore>,
    /// What is done without anybody waiting for it.
    tasks: TaskTracker,
}

/// Why a checkpoint was not put on the shelf, or could not be had from it.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The store.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A file on this host.
    #[error("a pack cannot be written on the coordinator's host: {0}; see that its disk has room")]
    Scratch(#[from] io::Error),
    /// What was brought is not what it is called.
    #[error("a pack that was brought is not taken: {0}")]
    Pack(String),
    /// What was read is no record.
    #[error("the checkpoint cannot be used: {0}")]
    Record(String),
}

/// A pack that is being brought. Dropped before its end, nothing of it is left.
#[derive(Debug)]
pub struct Incoming {
    name: String,
    length: u64,
    open: File,
    path: tempfile::TempPath,
}

impl Shelf {
    /// The checkpoints in `blobs`.
    #[must_use]
    pub fn new(blobs: Blobs, rules: CheckpointRules) -> Self {
        Self { blobs, rules: Arc::new(rules), carriers: Arc::new(Semaphore::new(CARRIERS)), tasks: TaskTracker::new() }
    }

    /// Which are taken, and how long they are kept.
    #[must_use]
    pub fn rules(&self) -> &CheckpointRules {
        &self.rules
    }

    /// The record of a checkpoint, if it is here.
    ///
    /// # Errors
    /// The store cannot be used, or the record not be read.
    pub async fn record(&self, thread: ThreadId, name: &CheckpointName) -> Result<Option<CheckpointRecord>, ShelfError> {
        match self.blobs.get(&record_blob(thread, name)).await {
            Ok(text) => CheckpointRecord::parse(&text).map(Some).map_err(ShelfError::Record),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names of a thread's checkpoints that are here.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn names(&self, thread: ThreadId) -> Result<BTreeSet<String>, BlobError> {
        let names = self.blobs.list(&format!("checkpoints/{thread}")).await?;
        Ok(names.iter().filter_map(|name| name.rsplit('/').next()?.strip_suffix(".json").map(str::to_owned)).collect())
    }

    /// Which of these packs are not here.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn lacking(&self, packs: &[String]) -> Result<Vec<String>, BlobError> {
        let mut lacking = Vec::new();
        for pack in packs {
            if !self.blobs.has(&pack_blob(pack)).await? {
                lacking.push(pack.clone());
            }
        }
        Ok(lacking)
    }

    /// Puts a record on the shelf, whose packs are all there.
    ///
    /// # Errors
    /// A pack is missing, or the store cannot be used.
    pub async fn put(&self, record: &CheckpointRecord) -> Result<(), ShelfError> {
        match self.lacking(&record.packs).await?.first() {
            None => Ok(self.blobs.put(&record.blob(), Bytes::from(record.text())).await?),
            Some(pack) => Err(ShelfError::Record(format!("its pack {pack} has not been brought"))),
        }
    }

    /// The bytes of a pack.
    ///
    /// # Errors
    /// It is not here, or the store cannot be used.
    pub async fn pack(&self, pack: &str) -> Result<impl Stream<Item = Result<Bytes, BlobError>> + Send + use<>, BlobError> {
        self.blobs.read(&pack_blob(pack)).await
    }

    /// Begins to take in a pack. It counts after [`Shelf::end`].
    ///
    /// # Errors
    /// That is no name of a pack, or no file can be made for it.
    pub fn begin(&self, name: &str) -> Result<Incoming, ShelfError> {
        if !is_pack_name(name) {
            return Err(ShelfError::Pack(format!("`{name}` is no name of a pack")));
        }
        std::fs::create_dir_all(&self.rules.scratch)?;
        let (open, path) = NamedTempFile::new_in(&self.rules.scratch)?.into_parts();
        Ok(Incoming { name: name.to_owned(), length: 0, open: File::from_std(open), path })
    }

    /// Puts a pack on the shelf, if it is what it is called, down to every object in it.
    ///
    /// # Errors
    /// It is not, or the store cannot be used.
    pub async fn end(&self, incoming: Incoming) -> Result<(), ShelfError> {
        let Incoming { name, mut open, path, .. } = incoming;
        open.flush().await?;
        open.sync_all().await?;
        let (checked, wanted) = (path.to_path_buf(), name.clone());
        let check = tokio::task::spawn_blocking(move || check_pack(&checked, &wanted).map_err(|error| error.to_string()));
        check.await.map_err(io::Error::other)?.map_err(ShelfError::Pack)?;
        Ok(self.blobs.put_file(&pack_blob(&name), &path).await?)
    }

    /// Forgets a thread's checkpoints. What they alone were made of is swept away later.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn forget(&self, thread: ThreadId) -> Result<(), BlobError> {
        for name in self.blobs.list(&format!("checkpoints/{thread}")).await? {
            self.blobs.remove(&name).await?;
        }
        Ok(())
    }

    /// Forgets those of a thread's checkpoints that are more than are kept, or whose time is over.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn retain(&self, thread: ThreadId) -> Result<(), BlobError> {
        let there = self.blobs.list_with_times(&format!("checkpoints/{thread}")).await?;
        for name in retention::over(there, &self.rules, SystemTime::now()) {
            self.blobs.remove(&name).await?;
        }
        Ok(())
    }

    /// Has something done without anybody waiting for it. It is the coordinator's, and ends with it at the latest.
    pub(crate) fn background(&self, what: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(what);
    }

    /// Waits until nothing is carried, at most so long; says whether that is so.
    pub async fn settled(&self, within: Duration) -> bool {
        let idle = async {
            while !self.tasks.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, idle).await.is_ok()
    }
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// It is too long, or cannot be written.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), ShelfError> {
        self.length += bytes.len() as u64;
        if self.length > LONGEST_PACK {
            return Err(ShelfError::Pack(format!("it is longer than {LONGEST_PACK} bytes")));
        }
        Ok(self.open.write_all(bytes).await?)
    }
}
