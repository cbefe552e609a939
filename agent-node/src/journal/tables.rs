//! What the journal amounts to: a fold over its entries. Pure.
//!
//! Memory is bounded: sessions that are not over by the node's places and its retention, tries that are over and epochs by a count each;
//! the oldest are forgotten first.

use super::entry::{Entry, Intent};
use capstan_types::id::{Attempt, CallId, Epoch, SessionId, ThreadId};
use capstan_types::launch::{Enforced, SessionEnd};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// How many tries that are over are remembered.
const MOST_OVER: usize = 16_384;

/// How many threads' epochs are remembered.
const MOST_EPOCHS: usize = 65_536;

/// One try of one call of one thread.
pub(crate) type Key = (ThreadId, CallId, Attempt);

/// A session that is not over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) intent: Arc<Intent>,
    pub(crate) stage: Stage,
    /// The proof, once it was told.
    pub(crate) enforced: Option<Arc<Enforced>>,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// The runner was perhaps asked.
    Asked,
    Runs,
    Ended(SessionEnd),
}

/// What became of a try that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Over {
    /// It ended, and was released.
    Released,
    /// It is not known, and why.
    Lost(String),
}

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) generation: u64,
    pub(super) epochs: HashMap<ThreadId, Epoch>,
    epoch_order: VecDeque<ThreadId>,
    pub(super) sessions: BTreeMap<SessionId, Kept>,
    pub(super) over: HashMap<Key, Over>,
    over_order: VecDeque<Key>,
}

impl Kept {
    pub(crate) fn key(&self) -> Key {
        (self.intent.thread, self.intent.call, self.intent.attempt)
    }
}

impl Tables {
    /// Takes note of an entry. One about a session that is not known changes nothing: it is over.
    pub(super) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Life { generation } => self.generation = self.generation.max(generation),
            Entry::Epoch { thread, epoch } => self.raise(thread, epoch),
            Entry::Asked(intent) => {
                self.raise(intent.thread, intent.epoch);
                let kept = Kept { intent: Arc::new(*intent), stage: Stage::Asked, enforced: None };
                self.sessions.insert(kept.intent.session, kept);
            }
            Entry::Runs { session, enforced } => self.with(session, |kept| {
                kept.enforced = enforced.map(|enforced| Arc::new(*enforced));
                if kept.stage == Stage::Asked {
                    kept.stage = Stage::Runs;
                }
            }),
            Entry::Ended { session, end } => self.with(session, |kept| kept.stage = Stage::Ended(end)),
            Entry::Nothing { session } => drop(self.sessions.remove(&session)),
            Entry::Lost { session, reason } => self.finish(session, Over::Lost(reason)),
            Entry::Released { session } => self.finish(session, Over::Released),
            Entry::Unchanged { thread, call, attempt } => {
                let key = (thread, call, attempt);
                self.over.remove(&key);
                self.over_order.retain(|other| *other != key);
            }
            Entry::Over { thread, call, attempt, lost } => {
                self.remember((thread, call, attempt), lost.map_or(Over::Released, Over::Lost));
            }
        }
    }

    /// The same in as few entries as can be.
    pub(super) fn compact(&self) -> Vec<Entry> {
        let epochs = self
            .epoch_order
            .iter()
            .filter_map(|thread| self.epochs.get(thread).map(|epoch| Entry::Epoch { thread: *thread, epoch: *epoch }));
        let over = self.over_order.iter().filter_map(|key| {
            let lost = match self.over.get(key)? {
                Over::Released => None,
                Over::Lost(reason) => Some(reason.clone()),
            };
            Some(Entry::Over { thread: key.0, call: key.1, attempt: key.2, lost })
        });
        let sessions = self.sessions.values().flat_map(retell);
        [Entry::Life { generation: self.generation }].into_iter().chain(epochs).chain(over).chain(sessions).collect()
    }

    fn raise(&mut self, thread: ThreadId, epoch: Epoch) {
        match self.epochs.get_mut(&thread) {
            Some(newest) => *newest = epoch.max(*newest),
            None => {
                self.epochs.insert(thread, epoch);
                self.epoch_order.push_back(thread);
                if self.epoch_order.len() > MOST_EPOCHS
                    && let Some(oldest) = self.epoch_order.pop_front()
                {
                    self.epochs.remove(&oldest);
                }
            }
        }
    }

    fn with(&mut self, session: SessionId, change: impl FnOnce(&mut Kept)) {
        if let Some(kept) = self.sessions.get_mut(&session) {
            change(kept);
        }
    }

    fn finish(&mut self, session: SessionId, over: Over) {
        if let Some(kept) = self.sessions.remove(&session) {
            self.remember(kept.key(), over);
        }
    }

    fn remember(&mut self, key: Key, over: Over) {
        if self.over.insert(key, over).is_none() {
            self.over_order.push_back(key);
        }
        if self.over_order.len() > MOST_OVER
            && let Some(oldest) = self.over_order.pop_front()
        {
            self.over.remove(&oldest);
        }
    }
}

/// The entries that lead to where a session is.
fn retell(kept: &Kept) -> Vec<Entry> {
    let session = kept.intent.session;
    let mut told = vec![Entry::Asked(Box::new((*kept.intent).clone()))];
    if kept.stage != Stage::Asked {
        let enforced = kept.enforced.as_deref().cloned().map(Box::new);
        told.push(Entry::Runs { session, enforced });
    }
    if let Stage::Ended(end) = &kept.stage {
        told.push(Entry::Ended { session, end: end.clone() });
    }
    told
}

#[cfg(test)]
mod tests;
