//! Whether a thread is still this coordinator's, as the store says when something is appended.
//!
//! A thread whose turn has an end that could not be stored is let go as well: what is stored says that the turn runs, so that another turn may not
//! begin after it. Whoever opens the thread again goes on with that turn.

use capstan_store::store::StoreError;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// A thread's ownership. Clones share it. What is lost does not come back: whoever takes the thread back has it under another epoch.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    lost: CancellationToken,
    why: Arc<OnceLock<StoreError>>,
}

impl Ownership {
    /// Takes note of what the store said; most errors mean nothing for the ownership.
    pub fn heed(&self, error: &StoreError) {
        if is_elsewhere(error) {
            self.break_off(error);
        }
    }

    /// The end of a turn could not be stored, for this reason.
    pub fn break_off(&self, error: &StoreError) {
        let _ = self.why.set(error.clone());
        self.lost.cancel();
    }

    /// Whether somebody else has it, or it is deleted.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.why().is_some_and(is_elsewhere)
    }

    /// Waits until it is lost.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// What the store said, once it is lost.
    #[must_use]
    pub fn why(&self) -> Option<&StoreError> {
        self.why.get()
    }
}

const fn is_elsewhere(error: &StoreError) -> bool {
    matches!(error, StoreError::Fenced { .. } | StoreError::NoThread(_) | StoreError::Deleted(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Epoch, ThreadId};
    use futures::FutureExt as _;

    #[test]
    fn a_newer_owner_ends_it_and_a_full_disk_does_not() {
        let ownership = Ownership::default();
        ownership.heed(&StoreError::Full);
        assert!(ownership.lost().now_or_never().is_none());
        let fenced = StoreError::Fenced { thread: ThreadId::from_u128(1), fence: Epoch(1), newest: Epoch(2) };
        ownership.heed(&fenced);
        assert!(ownership.lost().now_or_never().is_some());
        assert_eq!(ownership.why(), Some(&fenced));
    }
}
