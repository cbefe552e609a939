//! Requests that have passed the fence and wait until their epoch is in the journal, thread by thread, in order.
//!
//! Bounded: past [`MOST`] of a thread the newest is refused as busy.

use crate::error::NodeError;
use crate::workspace::message::WorkspaceRequest;
use capstan_types::id::{Epoch, ThreadId};
use std::collections::{HashMap, VecDeque};

/// How many requests of one thread may wait.
const MOST: usize = 64;

/// The requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    threads: HashMap<ThreadId, VecDeque<(Epoch, WorkspaceRequest)>>,
}

impl Waiting {
    /// Whether any of the thread wait.
    pub(crate) fn has(&self, thread: ThreadId) -> bool {
        self.threads.contains_key(&thread)
    }

    /// Adds one; says whether it is the first with its epoch, so that somebody has to bring that into the journal.
    pub(crate) fn push(&mut self, thread: ThreadId, epoch: Epoch, request: WorkspaceRequest) -> bool {
        let queue = self.threads.entry(thread).or_default();
        let first = queue.back().is_none_or(|(last, _)| *last < epoch);
        if queue.len() >= MOST {
            request.refuse(NodeError::busy("the journal"));
            return false;
        }
        queue.push_back((epoch, request));
        first
    }

    /// Takes those that waited for an epoch up to `epoch`.
    pub(crate) fn take(&mut self, thread: ThreadId, epoch: Epoch) -> Vec<WorkspaceRequest> {
        let Some(queue) = self.threads.get_mut(&thread) else { return Vec::new() };
        // Epochs in a queue never go down: the fence stands before it.
        let due = queue.iter().take_while(|(waits_for, _)| *waits_for <= epoch).count();
        let taken = queue.drain(..due).map(|(_, request)| request).collect();
        if queue.is_empty() {
            self.threads.remove(&thread);
        }
        taken
    }
}
