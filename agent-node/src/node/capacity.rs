//! How many sessions run here, and how many are known.
//!
//! Invariant: a session takes its place before it is started and gives it back once, when it has ended or was never started, whoever
//! of its keepers dies first: places are guards, not counts kept by hand.

use crate::error::{NodeError, RETRY_AFTER};
use capstan_types::load::NodeLoad;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one node. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    total: u32,
    live: Arc<Semaphore>,
    known: Arc<AtomicU32>,
    starting: Arc<AtomicU32>,
    running: Arc<AtomicU32>,
}

/// One session that may run. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Place {
    /// Counted as one that is started, or as one that runs.
    stage: Known,
    running: Arc<AtomicU32>,
    /// None for a session of an earlier life that runs although all places are taken.
    _permit: Option<OwnedSemaphorePermit>,
}

/// One session of a count, such as that of those that have not been released.
#[derive(Debug)]
pub(crate) struct Known {
    count: Arc<AtomicU32>,
}

impl Places {
    pub(crate) fn new(total: u32) -> Self {
        let permits = usize::try_from(total).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            total,
            live: Arc::new(Semaphore::new(permits)),
            known: Arc::default(),
            starting: Arc::default(),
            running: Arc::default(),
        }
    }

    /// A place, or when to ask again.
    pub(crate) fn take(&self) -> Result<Place, NodeError> {
        match Arc::clone(&self.live).try_acquire_owned() {
            Ok(permit) => Ok(self.place(Some(permit))),
            Err(_) => Err(NodeError::Full { total: self.total, retry_after: RETRY_AFTER }),
        }
    }

    /// A place for a session that runs already, whether there is one or not.
    pub(crate) fn take_for_running(&self) -> Place {
        self.place(Arc::clone(&self.live).try_acquire_owned().ok())
    }

    fn place(&self, permit: Option<OwnedSemaphorePermit>) -> Place {
        Place { stage: count(&self.starting), running: Arc::clone(&self.running), _permit: permit }
    }

    pub(crate) fn count_known(&self) -> Known {
        count(&self.known)
    }

    /// The account of the sessions, without anything else.
    pub(crate) fn load(&self) -> NodeLoad {
        let [known, running, starting] = [&self.known, &self.running, &self.starting].map(|count| count.load(Ordering::Relaxed));
        NodeLoad { running, starting, kept: known.saturating_sub(running), ..NodeLoad::default() }
    }

    /// Sessions that have not been released.
    pub(crate) fn known(&self) -> u32 {
        self.known.load(Ordering::Relaxed)
    }
}

impl Place {
    /// Its session runs.
    pub(crate) fn runs(&mut self) {
        self.stage = count(&self.running);
    }
}

fn count(counter: &Arc<AtomicU32>) -> Known {
    counter.fetch_add(1, Ordering::Relaxed);
    Known { count: Arc::clone(counter) }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_node_refuses_and_a_place_given_back_is_taken_again() {
        let places = Places::new(2);
        let first = places.take().unwrap();
        let _second = places.take().unwrap();
        assert_eq!(places.take().unwrap_err(), NodeError::Full { total: 2, retry_after: RETRY_AFTER });
        drop(first);
        assert!(places.take().is_ok());
    }

    #[test]
    fn known_sessions_are_counted_apart_from_live_ones() {
        let places = Places::new(1);
        let (first, second) = (places.count_known(), places.count_known());
        assert_eq!(places.known(), 2);
        drop(first);
        assert_eq!(places.known(), 1);
        drop(second);
        assert_eq!(places.known(), 0);
    }
}
