//! What a model knows of sessions, as clients are told it.

use super::{Malformed, parse};
use crate::wire::client as wire;
use capstan_types::item::ItemId;
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::output::Seq;
use capstan_types::output::clean::Cleaning;
use capstan_types::session::known::{KnownSession, SessionChange};
use capstan_types::thread::OnInterrupt;

impl From<SessionChange> for wire::SessionChanged {
    fn from(change: SessionChange) -> Self {
        use wire::session_changed::Change;
        let (number, change) = match change {
            SessionChange::Opened(session) => (session.number, Change::Opened((*session).into())),
            SessionChange::Told { number, next } => (number, Change::Told(next.0)),
            SessionChange::Announced { number } => (number, Change::Announced(wire::SessionAnnounced {})),
            SessionChange::Closed { number, how } => (number, Change::Closed(how)),
        };
        Self { number, change: Some(change) }
    }
}

impl From<KnownSession> for wire::SessionOpened {
    fn from(session: KnownSession) -> Self {
        let (stdio, size) = match session.stdio {
            Stdio::Terminal(size) => ("terminal", size),
            Stdio::Pipes => ("pipes", TermSize { rows: 0, cols: 0 }),
            Stdio::PipesNoInput => ("pipes-no-input", TermSize { rows: 0, cols: 0 }),
        };
        Self {
            session_id: session.session.to_string(),
            node_id: session.node.to_string(),
            call_id: session.call.to_string(),
            turn_id: session.turn.to_string(),
            item_id: session.item.0,
            command: session.command,
            stdio: stdio.to_owned(),
            rows: size.rows.into(),
            cols: size.cols.into(),
            raw_output: session.cleaning == Cleaning::Raw,
            next: session.next.0,
            announced: session.announced,
        }
    }
}

impl TryFrom<wire::SessionChanged> for SessionChange {
    type Error = Malformed;

    fn try_from(wire: wire::SessionChanged) -> Result<Self, Malformed> {
        use wire::session_changed::Change;
        let number = wire.number;
        Ok(match wire.change.ok_or_else(|| Malformed::missing("session_changed.change"))? {
            Change::Opened(session) => Self::Opened(Box::new(opened(number, session)?)),
            Change::Told(next) => Self::Told { number, next: Seq(next) },
            Change::Announced(_) => Self::Announced { number },
            Change::Closed(how) => Self::Closed { number, how },
        })
    }
}

fn opened(number: u32, wire: wire::SessionOpened) -> Result<KnownSession, Malformed> {
    let stdio = match wire.stdio.as_str() {
        "terminal" => Stdio::Terminal(super::exec::term_size(wire.rows, wire.cols)?),
        "pipes" => Stdio::Pipes,
        "pipes-no-input" => Stdio::PipesNoInput,
        _ => return Err(Malformed::new("stdio", "it is terminal, pipes or pipes-no-input")),
    };
    Ok(KnownSession {
        number,
        session: parse("session_id", &wire.session_id)?,
        node: parse("node_id", &wire.node_id)?,
        call: parse("call_id", &wire.call_id)?,
        turn: parse("turn_id", &wire.turn_id)?,
        item: ItemId(wire.item_id),
        command: wire.command,
        stdio,
        cleaning: cleaning(wire.raw_output),
        next: Seq(wire.next),
        announced: wire.announced,
    })
}

/// How output is told.
pub(super) const fn cleaning(raw: bool) -> Cleaning {
    if raw { Cleaning::Raw } else { Cleaning::Clean }
}

impl From<OnInterrupt> for wire::OnInterrupt {
    fn from(choice: OnInterrupt) -> Self {
        match choice {
            OnInterrupt::KeepSessions => Self::KeepSessions,
            OnInterrupt::KillSessions => Self::KillSessions,
        }
    }
}

impl From<wire::OnInterrupt> for OnInterrupt {
    fn from(wire: wire::OnInterrupt) -> Self {
        match wire {
            wire::OnInterrupt::Unspecified | wire::OnInterrupt::KeepSessions => Self::KeepSessions,
            wire::OnInterrupt::KillSessions => Self::KillSessions,
        }
    }
}
