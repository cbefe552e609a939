//! The sessions that a thread has running, by the small numbers that the model knows them by.
//!
//! Every started session is here from its start until its end was told to the model. A task of its own reads it all the while, so that a
//! command never blocks because nobody asks for its output. Invariants: a number is never used twice; at most [`MAX_SESSIONS`] sessions
//! exist at a time, and the next one is refused rather than an old one ended behind the model's back.

mod announce;
mod live;
mod pump;
mod record;
mod resumed;
mod started;

pub use announce::Announcement;
pub use live::Again;
pub(crate) use live::{LiveSession, Patience};
pub(crate) use record::Ending;
pub(crate) use started::Started;

use crate::host::ExecHost;
use crate::release::Release;
use capstan_types::id::{CallId, NodeId, SessionId, TurnId};
use capstan_types::session::known::{FIRST_NUMBER, KnownSessions, REMEMBERED, SessionChange};
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The most sessions that one thread may have: those that run, and those whose end the model has not been told.
pub const MAX_SESSIONS: usize = 64;

const SHOWN_COMMAND_CHARS: usize = 80;

/// A thread's sessions.
#[derive(Debug)]
pub struct SessionTable {
    inner: Mutex<Inner>,
}

/// A session, and where it runs.
type OnHost = (Arc<dyn ExecHost>, SessionId);

#[derive(Debug)]
struct Inner {
    next: u32,
    starting: usize,
    live: BTreeMap<u32, Arc<LiveSession>>,
    /// How the last ones ended that the model was told of.
    closed: BTreeMap<u32, String>,
    /// Sessions of calls that are on several hosts at once. They have no numbers: the call waits for them, and is what ends them.
    fans: BTreeMap<CallId, Vec<OnHost>>,
}

/// What is told of a session in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// The number that the model knows.
    pub number: u32,
    /// The session.
    pub session: SessionId,
    /// The host that it runs on, where that is not the thread's home.
    pub elsewhere: Option<NodeId>,
    /// The call that started it.
    pub call: CallId,
    /// The command line.
    pub command: String,
    /// Whether it has ended, and the model has not been told.
    pub ended: bool,
    /// Whether its node could not be asked when it was asked last.
    pub away: bool,
    /// How many bytes it wrote that the model has not been told.
    pub untold: u64,
}

/// A session that was ended for somebody, and is no longer in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// The session, to be released once the change is stored.
    pub release: Release,
    /// What is to be stored, if the model knew of it.
    pub change: Option<SessionChange>,
}

/// There is no room for another session. For the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this thread has {MAX_SESSIONS} sessions, which is the most; poll those that have ended with write_stdin, or end some with the tool `sessions`:\n{list}"
)]
pub(crate) struct TableFull {
    list: String,
}

impl Default for SessionTable {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                next: FIRST_NUMBER,
                starting: 0,
                live: BTreeMap::new(),
                closed: BTreeMap::new(),
                fans: BTreeMap::new(),
            }),
        }
    }
}

impl SessionTable {
    /// The table of a thread that another life of it told of, with a reader for each of its sessions. Must be called within a runtime.
    #[must_use]
    pub fn again(known: KnownSessions, again: &Again) -> Self {
        let KnownSessions { next_number: next, open, closed } = known;
        let live = open.into_iter().map(|(number, known)| (number, Arc::new(LiveSession::again(known, again)))).collect();
        Self { inner: Mutex::new(Inner { next, starting: 0, live, closed, fans: BTreeMap::new() }) }
    }

    /// Waits until the ends of these sessions are seen, at most for so long.
    pub async fn see_ends(&self, ended: &[SessionId], at_most: Duration) {
        let patience = Patience { until: Instant::now() + at_most, silence: None, past: 0 };
        let ended: Vec<_> = self.lock().live.values().filter(|live| ended.contains(&live.session())).cloned().collect();
        join_all(ended.iter().map(|live| live.wait(patience))).await;
    }

    /// Keeps a place for a session that is about to be started.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<Place, TableFull> {
        let mut inner = self.lock();
        // One whose end was announced waits for one turn to be read to its end, and takes nobody's place meanwhile.
        let counted = inner.live.values().filter(|live| !live.is_announced()).count();
        if inner.starting + counted >= MAX_SESSIONS {
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

    /// Where the session of that number runs.
    #[must_use]
    pub fn node_of(&self, number: u32) -> Option<NodeId> {
        self.lock().live.get(&number).map(|live| live.node())
    }

    /// Takes note of a session of a call that is on several hosts.
    pub(crate) fn fan_out(&self, call: CallId, host: Arc<dyn ExecHost>, session: SessionId) {
        self.lock().fans.entry(call).or_default().push((host, session));
    }

    /// Forgets the sessions of such a call, which has ended.
    pub(crate) fn fan_in(&self, call: CallId) {
        self.lock().fans.remove(&call);
    }

    /// How a session ended that the model was told of, if it is one of the last.
    pub(crate) fn how_closed(&self, number: u32) -> Option<String> {
        self.lock().closed.get(&number).cloned()
    }

    /// Forgets a session whose end has been told, all but how it ended.
    pub(crate) fn close(&self, live: &LiveSession) -> SessionChange {
        let number = live.number();
        let how = live.how().unwrap_or_else(|| "Process state unknown: its end was not seen".to_owned());
        let mut inner = self.lock();
        inner.live.remove(&number);
        inner.closed.insert(number, how.clone());
        while inner.closed.len() > REMEMBERED {
            inner.closed.pop_first();
        }
        SessionChange::Closed { number, how }
    }

    /// The table as the stored events of the thread tell of it, once all that was told is stored.
    #[must_use]
    pub fn known(&self) -> KnownSessions {
        let inner = self.lock();
        let open = inner.live.values().map(|live| (live.number(), live.known())).collect();
        KnownSessions { next_number: inner.next, open, closed: inner.closed.clone() }
    }

    /// The session that a call started, if it is known.
    #[must_use]
    pub(crate) fn of_call(&self, call: CallId) -> Option<Arc<LiveSession>> {
        self.lock().live.values().find(|session| session.call() == call).cloned()
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
    pub async fn end_call(&self, call: CallId, by: &str) -> Vec<EndedSession> {
        let (mine, fan) = {
            let mut inner = self.lock();
            let mine: Vec<_> = inner.live.values().filter(|session| session.call() == call).cloned().collect();
            (mine, inner.fans.remove(&call).unwrap_or_default())
        };
        let (mut ended, _) = tokio::join!(self.end(mine, by), end_fan(&fan, by));
        let release = |(host, session): &OnHost| Release { node: host.node(), session: *session };
        ended.extend(fan.iter().map(|one| EndedSession { release: release(one), change: None }));
        ended
    }

    /// Ends the sessions that a turn's calls started, as [`SessionTable::end_call`] does.
    pub async fn end_turn(&self, turn: TurnId, by: &str) -> Vec<EndedSession> {
        let mine: Vec<_> = self.lock().live.values().filter(|session| session.turn() == turn).cloned().collect();
        self.end(mine, by).await
    }

    /// Ends every session, as [`SessionTable::end_call`] does.
    pub async fn end_all(&self, by: &str) -> Vec<EndedSession> {
        let all: Vec<_> = self.lock().live.values().cloned().collect();
        self.end(all, by).await
    }

    async fn end(&self, sessions: Vec<Arc<LiveSession>>, by: &str) -> Vec<EndedSession> {
        join_all(sessions.iter().map(|session| session.kill(by))).await;
        sessions.iter().map(|live| EndedSession { release: live.release(), change: Some(self.close(live)) }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic cannot leave the map half changed: every change of it is one call.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long hosts may take to end what a call has on them.
const END_FAN: Duration = Duration::from_secs(5);

/// Those that do not answer in time end it themselves, at the command's deadline.
async fn end_fan(fan: &[OnHost], by: &str) {
    let _ = tokio::time::timeout(END_FAN, join_all(fan.iter().map(|(host, session)| host.kill(*session, by)))).await;
}

/// One line of a list.
pub(crate) fn shown(session: &ListedSession) -> String {
    let command: String = session.command.chars().take(SHOWN_COMMAND_CHARS).collect();
    let state = match (session.ended, session.away) {
        (true, _) => "ended",
        (false, true) => "its node does not answer",
        (false, false) => "running",
    };
    let on = session.elsewhere.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    format!("  {}{on} ({}): {command}", session.number, state)
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
