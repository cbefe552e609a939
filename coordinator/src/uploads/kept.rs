//! Uploads in the coordinator's store for blobs.

use super::incoming::{Incoming, NotTaken};
use bytes::Bytes;
use capstan_blobs::{BlobError, Blobs};
use capstan_types::saved::record::{CheckpointRecord, is_pack_name, pack_blob};
use futures::{StreamExt, TryStreamExt, stream};
use std::path::PathBuf;

/// The most packs of one upload.
const MOST_PACKS: usize = 20_000;
/// How many packs are asked for at once.
const ASKED_AT_ONCE: usize = 16;
/// The name of an upload among the checkpoints of its thread.
const NAME: &str = "upload";

/// Where uploads are kept. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Uploads {
    blobs: Option<Blobs>,
    scratch: PathBuf,
}

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
    /// The store fails.
    #[error(transparent)]
    Store(#[from] BlobError),
}

impl Uploads {
    /// In this store; packs that are on their way lie in `scratch`, which need not exist.
    #[must_use]
    pub const fn new(blobs: Option<Blobs>, scratch: PathBuf) -> Self {
        Self { blobs, scratch }
    }

    fn blobs(&self) -> Result<&Blobs, NotKept> {
        self.blobs.as_ref().ok_or(NotKept::NoStore)
    }

    /// Those of these packs that are not here.
    ///
    /// # Errors
    /// They are no names of packs or too many, or the store cannot be used.
    pub async fn lacks(&self, packs: Vec<String>) -> Result<Vec<String>, NotKept> {
        let blobs = self.blobs()?;
        if packs.len() > MOST_PACKS {
            return Err(NotKept::Malformed(format!("{} packs were named, and at most {MOST_PACKS} may be", packs.len())));
        }
        if !packs.iter().all(|pack| is_pack_name(pack)) {
            return Err(NotKept::Malformed("the name of a pack has 64 hexadecimal digits".to_owned()));
        }
        let asked = stream::iter(packs).map(|pack| async move {
            let is_here = blobs.has(&pack_blob(&pack)).await?;
            Ok::<_, BlobError>((!is_here).then_some(pack))
        });
        let lacks = asked.buffered(ASKED_AT_ONCE).try_filter_map(|lack| async move { Ok(lack) });
        Ok(lacks.try_collect().await?)
    }

    /// Begins to take a pack.
    ///
    /// # Errors
    /// As [`Incoming`]; the outer one, if there is no store.
    pub async fn begin(&self, pack: &str) -> Result<Result<Incoming, NotTaken>, NotKept> {
        Ok(Incoming::begin(self.blobs()?.clone(), &self.scratch, pack).await)
    }

    /// Has an upload count whose packs are all here.
    ///
    /// # Errors
    /// The record makes no sense, packs are not here, the thread has another upload, or the store cannot be used.
    pub async fn finish(&self, record: &[u8]) -> Result<(), NotKept> {
        let blobs = self.blobs()?;
        let parsed = CheckpointRecord::parse(record).map_err(NotKept::Malformed)?;
        if parsed.name.as_str() != NAME {
            return Err(NotKept::Malformed(format!("an upload is called `{NAME}`, and not `{}`", parsed.name)));
        }
        let lacks = self.lacks(parsed.packs.clone()).await?;
        if !lacks.is_empty() {
            return Err(NotKept::Lacks(lacks.len()));
        }
        let text = Bytes::from(parsed.text());
        blobs.put(&parsed.blob(), text.clone()).await?;
        // One that is there is left as it is.
        if blobs.get(&parsed.blob()).await? == text { Ok(()) } else { Err(NotKept::Another) }
    }
}
