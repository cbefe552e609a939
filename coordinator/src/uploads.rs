//! What clients upload: checkpoints of their repositories, put on the coordinator's shelf as those of threads are.

use crate::checkpoints::shelf::{Incoming, Shelf, ShelfError};
use capstan_types::saved::record::{CheckpointRecord, is_pack_name};

/// The most packs of one upload.
const MOST_PACKS: usize = 20_000;
/// The name of an upload among the checkpoints of its thread.
const NAME: &str = "upload";

/// Where uploads are kept. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Uploads(Option<Shelf>);

/// Why an upload is not kept. For the client.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// There is no place for it.
    #[error(
        "this coordinator keeps no uploads; name a store for them in its config.toml: [blobs] url = \"/a/directory\" or \"s3://BUCKET/PREFIX\""
    )]
    NoStore,
    /// What was said makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// Something is missing.
    #[error("{0} packs of the upload are not here; send them, and try again")]
    Lacks(usize),
    /// The thread has one.
    #[error("the thread has another upload already; choose another id")]
    Another,
    /// The shelf.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

impl Uploads {
    /// On this shelf.
    #[must_use]
    pub const fn on(shelf: Option<Shelf>) -> Self {
        Self(shelf)
    }

    fn shelf(&self) -> Result<&Shelf, NotKept> {
        self.0.as_ref().ok_or(NotKept::NoStore)
    }

    /// Those of these packs that are not here.
    ///
    /// # Errors
    /// They are no names of packs or too many, or the store cannot be used.
    pub async fn lacks(&self, packs: &[String]) -> Result<Vec<String>, NotKept> {
        let shelf = self.shelf()?;
        if packs.len() > MOST_PACKS {
            return Err(NotKept::Malformed(format!("{} packs were named, and at most {MOST_PACKS} may be", packs.len())));
        }
        if !packs.iter().all(|pack| is_pack_name(pack)) {
            return Err(NotKept::Malformed("the name of a pack has 64 hexadecimal digits".to_owned()));
        }
        Ok(shelf.lacking(packs).await.map_err(ShelfError::from)?)
    }

    /// Begins to take a pack.
    ///
    /// # Errors
    /// It has no name of a pack, or there is no room.
    pub fn begin(&self, pack: &str) -> Result<Incoming, NotKept> {
        Ok(self.shelf()?.begin(pack)?)
    }

    /// Has a pack count.
    ///
    /// # Errors
    /// It is not what it is called, or the store cannot be used.
    pub async fn end(&self, incoming: Incoming) -> Result<(), NotKept> {
        Ok(self.shelf()?.end(incoming).await?)
    }

    /// Has an upload count whose packs are all here.
    ///
    /// # Errors
    /// The record makes no sense, packs are not here, the thread has another upload, or the store cannot be used.
    pub async fn finish(&self, record: &[u8]) -> Result<(), NotKept> {
        let shelf = self.shelf()?;
        let record = CheckpointRecord::parse(record).map_err(NotKept::Malformed)?;
        if record.name.as_str() != NAME {
            return Err(NotKept::Malformed(format!("an upload is called `{NAME}`, and not `{}`", record.name)));
        }
        match self.lacks(&record.packs).await?.len() {
            0 => {}
            lacks => return Err(NotKept::Lacks(lacks)),
        }
        shelf.put(&record).await?;
        // One that is there is left as it is.
        if shelf.record(record.thread, &record.name).await?.as_ref() == Some(&record) { Ok(()) } else { Err(NotKept::Another) }
    }
}
