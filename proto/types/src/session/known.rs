//! The sessions that a model knows of, as the events of its thread tell of them.
//!
//! A coordinator that takes a thread over rebuilds its table of sessions from this, and attaches to each session at the first byte that the
//! model has not been told. Invariant: a number is never used twice in a thread.

use crate::id::{CallId, NodeId, SessionId, TurnId};
use crate::item::ItemId;
use crate::launch::Stdio;
use crate::output::Seq;
use crate::output::clean::Cleaning;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first number. Four digits, so that it is not taken for a process id or an exit code.
pub const FIRST_NUMBER: u32 = 1000;

/// How many ended sessions are remembered by how they ended.
pub const REMEMBERED: usize = 64;

/// A session that a model can speak to, or whose end it has not been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSession {
    /// The number that the model knows.
    pub number: u32,
    /// The session.
    pub session: SessionId,
    /// Where it runs.
    pub node: NodeId,
    /// The call that started it.
    pub call: CallId,
    /// The turn of that call.
    pub turn: TurnId,
    /// The item that tells of it.
    pub item: ItemId,
    /// The command line.
    pub command: String,
    /// How its standard streams are connected.
    pub stdio: Stdio,
    /// How its output is told.
    pub cleaning: Cleaning,
    /// The first byte that the model has not been told.
    pub next: Seq,
    /// Whether the model was told, at the beginning of a turn, that it ended.
    #[serde(default)]
    pub announced: bool,
}

/// What happened to a session as a model knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum SessionChange {
    /// It runs, and has its number.
    Opened(Box<KnownSession>),
    /// The model was told of its output up to a byte.
    Told {
        /// Its number.
        number: u32,
        /// The first byte that was not told.
        next: Seq,
    },
    /// The model was told, at the beginning of a turn, that it ended; its last output may be untold.
    Announced {
        /// Its number.
        number: u32,
    },
    /// The model was told of its end, or it was ended for a turn that was interrupted. Its number means nothing any more.
    Closed {
        /// Its number.
        number: u32,
        /// How it ended, in words.
        how: String,
    },
}

/// All sessions that a model knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSessions {
    /// The number of the next session.
    pub next_number: u32,
    /// Those that are open, by their numbers.
    pub open: BTreeMap<u32, KnownSession>,
    /// How the last [`REMEMBERED`] ended that are not open, by their numbers.
    pub closed: BTreeMap<u32, String>,
}

impl Default for KnownSessions {
    fn default() -> Self {
        Self { next_number: FIRST_NUMBER, open: BTreeMap::new(), closed: BTreeMap::new() }
    }
}

impl KnownSessions {
    /// What the changes that a thread's events tell of come to, from its first on and in their order.
    #[must_use]
    pub fn of_changes<'a>(changes: impl IntoIterator<Item = &'a SessionChange>) -> Self {
        let mut known = Self::default();
        changes.into_iter().for_each(|change| known.apply(change));
        known
    }

    /// Takes a change in. One that speaks of a session that is not open changes nothing.
    pub fn apply(&mut self, change: &SessionChange) {
        match change {
            SessionChange::Opened(session) => {
                self.next_number = self.next_number.max(session.number.saturating_add(1));
                self.open.insert(session.number, KnownSession::clone(session));
            }
            SessionChange::Told { number, next } => {
                if let Some(session) = self.open.get_mut(number) {
                    session.next = session.next.max(*next);
                }
            }
            SessionChange::Announced { number } => {
                if let Some(session) = self.open.get_mut(number) {
                    session.announced = true;
                }
            }
            SessionChange::Closed { number, how } => {
                if self.open.remove(number).is_some() {
                    self.closed.insert(*number, how.clone());
                    while self.closed.len() > REMEMBERED {
                        self.closed.pop_first();
                    }
                }
            }
        }
    }
}
