//! The newest owner of each thread: whoever comes with an older epoch has lost the thread and must not act.
//!
//! Invariant: for a thread that is remembered, the epoch that passes never goes down. Memory is bounded: past [`REMEMBERED`] threads
//! the one that was silent longest is forgotten, which lets a stale owner of a long silent thread pass, and the store's own check stops it.
//! A raised epoch is obeyed only when it is in the journal, so that the invariant holds across the node's lives.

use crate::error::NodeError;
use capstan_types::id::{Epoch, ThreadId};
use std::collections::{BTreeMap, HashMap};

/// How many threads are remembered.
const REMEMBERED: usize = 65_536;

/// The highest epoch seen of each thread.
#[derive(Debug)]
pub(crate) struct Fence {
    most: usize,
    /// Counts the requests seen, to tell who was silent longest.
    clock: u64,
    threads: HashMap<ThreadId, Seen>,
    by_silence: BTreeMap<u64, ThreadId>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    newest: Epoch,
    /// The highest that is in the journal.
    kept: Epoch,
    last: u64,
}

/// What a request that may pass has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing.
    Now,
    /// Its epoch must be in the journal first.
    Raised,
}

impl Fence {
    /// A fence that knows what the journal says.
    pub(crate) fn knowing(kept: impl IntoIterator<Item = (ThreadId, Epoch)>) -> Self {
        let mut fence = Self::remembering(REMEMBERED);
        for (thread, epoch) in kept {
            let _ = fence.pass(thread, epoch);
            fence.kept(thread, epoch);
        }
        fence
    }

    /// Takes note of an epoch that is in the journal.
    pub(crate) fn kept(&mut self, thread: ThreadId, epoch: Epoch) {
        if let Some(seen) = self.threads.get_mut(&thread) {
            seen.kept = epoch.max(seen.kept);
        }
    }

    fn remembering(most: usize) -> Self {
        Self { most, clock: 0, threads: HashMap::new(), by_silence: BTreeMap::new() }
    }

    /// Lets the newest owner of a thread pass.
    pub(crate) fn pass(&mut self, thread: ThreadId, given: Epoch) -> Result<Pass, NodeError> {
        let seen = self.threads.get(&thread).copied();
        if let Some(Seen { newest, .. }) = seen.filter(|seen| given < seen.newest) {
            return Err(NodeError::StaleEpoch { given, newest });
        }
        if let Some(seen) = seen {
            self.by_silence.remove(&seen.last);
        } else if self.threads.len() >= self.most
            && let Some((_, silent)) = self.by_silence.pop_first()
        {
            self.threads.remove(&silent);
        }
        self.clock += 1;
        let kept = seen.map_or(Epoch(0), |seen| seen.kept);
        self.threads.insert(thread, Seen { newest: given, kept, last: self.clock });
        self.by_silence.insert(self.clock, thread);
        Ok(if given <= kept { Pass::Now } else { Pass::Raised })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: ThreadId = ThreadId::from_u128(1);

    #[test]
    fn an_older_owner_is_refused_and_the_same_one_passes_again() {
        let mut fence = Fence::knowing([]);
        assert_eq!(fence.pass(A, Epoch(3)), Ok(Pass::Raised));
        assert_eq!(fence.pass(A, Epoch(3)), Ok(Pass::Raised), "it is not in the journal yet");
        fence.kept(A, Epoch(3));
        assert_eq!(fence.pass(A, Epoch(3)), Ok(Pass::Now));
        assert_eq!(fence.pass(A, Epoch(2)), Err(NodeError::StaleEpoch { given: Epoch(2), newest: Epoch(3) }));
        assert_eq!(fence.pass(ThreadId::from_u128(2), Epoch(1)), Ok(Pass::Raised), "threads are fenced one by one");
        assert_eq!(fence.pass(A, Epoch(4)), Ok(Pass::Raised));
        assert!(fence.pass(A, Epoch(3)).is_err());
    }

    #[test]
    fn what_the_journal_says_is_known_from_the_start() {
        let mut fence = Fence::knowing([(A, Epoch(3))]);
        assert_eq!(fence.pass(A, Epoch(3)), Ok(Pass::Now));
        assert!(fence.pass(A, Epoch(2)).is_err());
    }

    #[test]
    fn the_thread_that_was_silent_longest_is_forgotten_first() {
        let mut fence = Fence::remembering(2);
        let [b, c] = [ThreadId::from_u128(2), ThreadId::from_u128(3)];
        fence.pass(A, Epoch(9)).unwrap();
        fence.pass(b, Epoch(9)).unwrap();
        fence.pass(A, Epoch(9)).unwrap();
        fence.pass(c, Epoch(9)).unwrap();
        assert!(fence.pass(A, Epoch(1)).is_err(), "the thread that spoke last but one was forgotten");
        assert_eq!(fence.pass(b, Epoch(1)), Ok(Pass::Raised));
    }

    proptest! {
        #[test]
        fn no_epoch_that_passes_is_lower_than_one_before(given in proptest::collection::vec((0..4_u128, 1..20_u64), 0..200)) {
            let mut fence = Fence::knowing([]);
            let mut newest = HashMap::<u128, u64>::new();
            for (thread, epoch) in given {
                let highest = newest.entry(thread).or_default();
                let passed = fence.pass(ThreadId::from_u128(thread), Epoch(epoch)).is_ok();
                prop_assert_eq!(passed, epoch >= *highest);
                *highest = epoch.max(*highest);
            }
        }

        #[test]
        fn memory_is_bounded(threads in proptest::collection::vec(0..50_u128, 0..300)) {
            let mut fence = Fence::remembering(8);
            for thread in threads {
                fence.pass(ThreadId::from_u128(thread), Epoch(1)).unwrap();
                prop_assert!(fence.threads.len() <= 8 && fence.by_silence.len() == fence.threads.len());
            }
        }
    }
}
