//! Sends patches that lie in files, piece by piece, as fast as they are taken.

use crate::error::NodeError;
use crate::workspace::checkpoint::patch::Patch;
use capstan_proto::wire::node as wire;
use capstan_types::checkpoint::{PatchFacts, PatchPart};
use futures::stream::{self, Stream, StreamExt as _};
use std::pin::Pin;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

/// How many are sent at once on a node; each keeps a file. Full: the next one is refused as busy.
const AT_ONCE: usize = 16;
/// The length of a piece, in bytes.
const PIECE: usize = 64 << 10;

/// A patch as tonic serves it.
pub(crate) type PatchStream = Pin<Box<dyn Stream<Item = Result<wire::PatchResponse, Status>> + Send>>;

/// The patches that are being sent. Clones share the bound on how many.
#[derive(Debug, Clone)]
pub(crate) struct Patches(Arc<Semaphore>);

impl Default for Patches {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Patches {
    /// Room for one more.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, NodeError> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| NodeError::busy("the sending of patches"))
    }
}

/// What it is, and then its bytes. `place` is given back with the end.
pub(crate) fn stream(patch: Patch, place: OwnedSemaphorePermit) -> PatchStream {
    let facts = PatchPart::Facts(PatchFacts { bytes: patch.bytes, files: patch.files, base: patch.base });
    let first = stream::once(async move { Ok(facts.into()) });
    let file = File::from_std(patch.file);
    let pieces = stream::try_unfold((file, place), |(mut file, place)| async move {
        let mut piece = vec![0; PIECE];
        let failed = |error: std::io::Error| Status::data_loss(format!("the patch cannot be read any more: {error}"));
        let read = file.read(&mut piece).await.map_err(failed)?;
        piece.truncate(read);
        Ok((read > 0).then(|| (PatchPart::Data(piece.into()).into(), (file, place))))
    });
    first.chain(pieces).boxed()
}
