//! What was saved last of a thread's workspace, so that what has not changed is not noted again.

use capstan_types::tree_document::TreeState;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was saved last of a thread by this coordinator.
#[derive(Debug, Default)]
pub struct LastSaved(Mutex<Option<(TreeState, Instant)>>);

impl LastSaved {
    /// Whether it was longer ago than that, or never.
    pub fn is_older_than(&self, age: Duration) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().is_none_or(|(_, at)| at.elapsed() > age)
    }

    /// Takes note of a state, and says whether it is another one than the last.
    pub fn is_news(&self, state: &TreeState) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace((state.clone(), Instant::now()));
        before.is_none_or(|(before, _)| before != *state)
    }
}
