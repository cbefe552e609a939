//! What a follower knows of the registry itself: up to where it has heard, and how long ago it heard anything.

use crate::error::EtcdError;
use crate::standing::{Stale, Standing};
use capstan_types::id::NodeId;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a follower knows of the registry.
#[derive(Debug)]
pub(super) struct Known {
    /// How long it may say nothing before the view counts as stale.
    patience: Duration,
    applied: watch::Sender<i64>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    heard: Option<Instant>,
    error: Option<EtcdError>,
    suspects: BTreeSet<NodeId>,
}

impl Known {
    pub(super) fn nothing(patience: Duration) -> Self {
        Self { patience, applied: watch::Sender::new(0), last: Mutex::default() }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The view is as of this revision, and these nodes are suspect.
    pub(super) fn applied(&self, revision: i64, suspects: BTreeSet<NodeId>) {
        self.last().suspects = suspects;
        self.applied.send_replace(revision);
    }

    /// etcd said something.
    pub(super) fn heard(&self) {
        let mut last = self.last();
        (last.heard, last.error) = (Some(Instant::now()), None);
    }

    /// It did not.
    pub(super) fn failed(&self, error: EtcdError) {
        self.last().error = Some(error);
    }

    /// Waits until the view has this revision, but not longer than `patience`. Returns whether it has.
    pub(super) async fn wait_for(&self, revision: i64, patience: Duration) -> bool {
        let mut applied = self.applied.subscribe();
        tokio::time::timeout(patience, applied.wait_for(|applied| *applied >= revision)).await.is_ok_and(|heard| heard.is_ok())
    }

    /// What stands in the way now.
    pub(super) fn error(&self) -> Option<EtcdError> {
        self.last().error.clone()
    }

    pub(super) fn standing(&self) -> Standing {
        let last = self.last();
        let silent = last.heard.map(|heard| heard.elapsed());
        let why = || last.error.as_ref().map_or_else(|| "it is being asked".to_owned(), ToString::to_string);
        let stale = silent.is_none_or(|silent| silent > self.patience).then(|| Stale { silent, why: why() });
        Standing { stale, suspects: last.suspects.clone() }
    }
}
