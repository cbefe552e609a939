//! The numbers that models know sessions by, for people who look at sessions.
//!
//! Looking changes nothing: no thread is woken for it. A thread that runs here is asked; of one that only lies in the store its events are
//! read. What cannot be said in time is left out.

use super::message::ThreadMsg;
use super::open::Threads;
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{SessionId, ThreadId};
use capstan_types::session::known::KnownSessions;
use futures::stream::{self, StreamExt as _};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::timeout;

/// How long all threads together may take to tell.
const DEADLINE: Duration = Duration::from_secs(2);

/// Threads that are asked at a time.
const AT_A_TIME: usize = 16;

impl Threads {
    /// The numbers of the open sessions of these threads. One that is missing has none, or its thread did not tell within 2 s.
    pub async fn session_numbers(&self, threads: BTreeSet<ThreadId>) -> HashMap<SessionId, u32> {
        let mut numbers = HashMap::new();
        let mut told = stream::iter(threads).map(|thread| self.known_sessions(thread)).buffer_unordered(AT_A_TIME);
        let gather = async {
            while let Some(known) = told.next().await {
                numbers.extend(known.open.into_values().map(|session| (session.session, session.number)));
            }
        };
        if timeout(DEADLINE, gather).await.is_err() {
            tracing::warn!("not all threads told the numbers of their sessions in time");
        }
        numbers
    }

    async fn known_sessions(&self, thread: ThreadId) -> KnownSessions {
        let told = match self.find(thread).await {
            Ok(Some(actor)) => ask(&actor, DEADLINE, ThreadMsg::Sessions).await.map_err(|error| error.to_string()),
            Ok(None) => self.recall(thread).await.map(|recalled| recalled.sessions).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        told.unwrap_or_else(|error| {
            tracing::debug!(%thread, error, "a thread did not tell the numbers of its sessions");
            KnownSessions::default()
        })
    }
}
