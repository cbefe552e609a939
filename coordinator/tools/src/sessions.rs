//! The sessions that a thread has running, by the small numbers that the model knows them by.
//!
//! Every started session is here from its start until its end was told to the model. A task of its own reads it all the while, so that a
//! command never blocks because nobody asks for its output. Invariants: a number is never used twice; at most [`MAX_SESSIONS`] sessions
//! exist at a time, and the next one is refused rather than an old one ended behind the model's back.

mod live;
mod pump;
mod record;

pub(crate) use live::{LiveSession, Patience, Started};
pub(crate) use record::Ending;

use capstan_types::id::{CallId, SessionId};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most sessions that one thread may have: those that run, and those whose end the model has not been told.
pub const MAX_SESSIONS: usize = 64;

/// The first number. Four digits, so that it is not taken for a process id or an exit code.
const FIRST_NUMBER: u32 = 1000;

const SHOWN_COMMAND_CHARS: usize = 80;

/// A thread's sessions.
#[derive(Debug)]
pub struct SessionTable {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    next: u32,
    starting: usize,
    live: BTreeMap<u32, Arc<LiveSession>>,
}

/// What is told of a session in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// The number that the model knows.
    pub number: u32,
    /// The session.
    pub session: SessionId,
    /// The call that started it.
    pub call: CallId,
    /// The command line.
    pub command: String,
    /// Whether it has ended, and the model has not been told.
    pub ended: bool,
}

/// There is no room for another session. For the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this thread has {MAX_SESSIONS} sessions, which is the most; poll those that have ended with write_stdin, or end some by sending them \"\\u0003\":\n{list}"
)]
pub(crate) struct TableFull {
    list: String,
}

impl Default for SessionTable {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { next: FIRST_NUMBER, starting: 0, live: BTreeMap::new() }) }
    }
}

impl SessionTable {
    /// Keeps a place for a session that is about to be started.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<Place, TableFull> {
        let mut inner = self.lock();
        if inner.starting + inner.live.len() >= MAX_SESSIONS {
            drop(inner);
            return Err(TableFull { list: self.list().iter().map(shown).collect::<Vec<_>>().join("\n") });
        }
        let number = inner.next;
        inner.next = inner.next.saturating_add(1);
        inner.starting += 1;
        Ok(Place { table: Arc::clone(self), number })
    }

    /// The session of that number.
    pub(crate) fn get(&self, number: u32) -> Option<Arc<LiveSession>> {
        self.lock().live.get(&number).cloned()
    }

    /// Forgets a session whose end has been told.
    pub(crate) fn remove(&self, number: u32) {
        self.lock().live.remove(&number);
    }

    /// The sessions in order of their numbers.
    #[must_use]
    pub fn list(&self) -> Vec<ListedSession> {
        let live: Vec<_> = self.lock().live.values().cloned().collect();
        live.iter().map(|session| session.listed()).collect()
    }

    /// Ends the session that a call started, if there is one, and waits for its end and its completed item for a few seconds.
    ///
    /// The returned sessions are to be released by the caller once it has stored what became of them.
    pub async fn end_call(&self, call: CallId, by: &str) -> Vec<SessionId> {
        let mine: Vec<_> = self.lock().live.values().filter(|session| session.call() == call).cloned().collect();
        self.end(mine, by).await
    }

    /// Ends every session, as [`SessionTable::end_call`] does.
    pub async fn end_all(&self, by: &str) -> Vec<SessionId> {
        let all: Vec<_> = self.lock().live.values().cloned().collect();
        self.end(all, by).await
    }

    async fn end(&self, sessions: Vec<Arc<LiveSession>>, by: &str) -> Vec<SessionId> {
        join_all(sessions.iter().map(|session| session.kill(by))).await;
        sessions.iter().for_each(|session| self.remove(session.number()));
        sessions.iter().map(|session| session.session()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic cannot leave the map half changed: every change of it is one call.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(session: &ListedSession) -> String {
    let command: String = session.command.chars().take(SHOWN_COMMAND_CHARS).collect();
    format!("  {} ({}): {command}", session.number, if session.ended { "ended" } else { "running" })
}

/// A place in the table for a session that is being started; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    table: Arc<SessionTable>,
    number: u32,
}

impl Place {
    /// The number that the session will have.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Puts the started session in.
    pub(crate) fn fill(self, session: Arc<LiveSession>) {
        self.table.lock().live.insert(self.number, session);
    }
}

impl Drop for Place {
    /// A filled place is counted among the live ones, one that was not filled no longer at all.
    fn drop(&mut self) {
        self.table.lock().starting -= 1;
    }
}
