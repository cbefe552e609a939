//! Who reads a session: its owner, or somebody who only looks.
//!
//! A holder has few connections, and the owner and the node need theirs. So those who look have a few places of their own.

use crate::error::NodeError;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many look at one session at once. Full: one more is refused.
const PLACES: usize = 4;

/// Who reads.
#[derive(Debug)]
pub(crate) enum ReaderKind {
    /// One whose reading keeps the session from being ownerless.
    Owner,
    /// One who only looks, from a place for that.
    Viewer {
        /// Free again when it is dropped.
        _place: OwnedSemaphorePermit,
    },
}

/// The places of those who look at one session. Clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Viewers(Arc<Semaphore>);

impl Viewers {
    /// All of them free.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }

    /// Takes one, until what is given is dropped.
    ///
    /// # Errors
    /// All are taken.
    pub(crate) fn take(&self) -> Result<ReaderKind, NodeError> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        place.map(|_place| ReaderKind::Viewer { _place }).map_err(|_| NodeError::Crowded { most: PLACES })
    }
}
