//! Sessions of earlier lives of which it is not known yet what became of them, and who waits to know.
//!
//! Bounded: past [`WAITERS`] of a session the newest is refused as busy. Who waits has a deadline of its own.

use crate::error::NodeError;
use crate::journal::Kept;
use crate::session::message::{SessionDoor, SessionMsg};
use crate::workspace::message::Reply;
use capstan_types::id::SessionId;
use std::collections::HashMap;

/// How many may wait for one session.
const WAITERS: usize = 64;

/// The sessions.
#[derive(Debug, Default)]
pub(crate) struct Adopting(HashMap<SessionId, (Kept, Vec<Asked>)>);

/// What was asked of one of them meanwhile.
#[derive(Debug)]
pub(crate) enum Asked {
    Find(Reply<SessionDoor>),
    Tell(SessionMsg),
}

impl Adopting {
    pub(crate) fn begin(&mut self, kept: Kept) {
        self.0.insert(kept.intent.session, (kept, Vec::new()));
    }

    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.0.contains_key(&session)
    }

    /// Has somebody wait.
    pub(crate) fn wait(&mut self, session: SessionId, asked: Asked) {
        match self.0.get_mut(&session) {
            Some((_, waiting)) if waiting.len() < WAITERS => waiting.push(asked),
            _ => asked.refuse(NodeError::busy("the session")),
        }
    }

    /// It is known: what the journal says of it, and who has waited, in order.
    pub(crate) fn end(&mut self, session: SessionId) -> Option<(Kept, Vec<Asked>)> {
        self.0.remove(&session)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Asked {
    fn refuse(self, error: NodeError) {
        match self {
            Self::Find(reply) => drop(reply.send(Err(error))),
            Self::Tell(message) => message.refuse(error),
        }
    }
}
