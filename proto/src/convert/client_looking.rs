//! Sessions as people look at them.

use super::client_item::{end_from_wire, end_to_wire};
use super::exec::attempt;
use super::{Malformed, parse};
use crate::wire::client as wire;
use capstan_types::id::NodeId;
use capstan_types::launch::{Denial, Stdio, TermSize};
use capstan_types::operator::{Seen, SessionName, SessionPlace};
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use capstan_types::session::{Listed, ListedState, SessionEvent};

impl From<&SessionName> for wire::SessionName {
    fn from(name: &SessionName) -> Self {
        Self {
            session_id: name.place.session.to_string(),
            thread_id: name.place.thread.to_string(),
            node_id: name.node.to_string(),
        }
    }
}

/// Reads which session is meant.
///
/// # Errors
/// None is named.
pub fn name(wire: Option<wire::SessionName>) -> Result<SessionName, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("name"))?;
    let place =
        SessionPlace { thread: parse("name.thread_id", &wire.thread_id)?, session: parse("name.session_id", &wire.session_id)? };
    Ok(SessionName { place, node: parse("name.node_id", &wire.node_id)? })
}

impl From<Seen> for wire::Session {
    fn from(seen: Seen) -> Self {
        let (name, number) = (Some((&seen.name()).into()), seen.number.unwrap_or_default());
        let listed = seen.listed;
        let (state, end) = match listed.state {
            ListedState::Starting => (wire::SessionState::Starting, None),
            ListedState::Running => (wire::SessionState::Running, None),
            ListedState::Ended(end) => (wire::SessionState::Ended, Some(end_to_wire(end))),
        };
        let (stdio, rows, cols) = match listed.stdio {
            Stdio::Terminal(size) => ("terminal", size.rows, size.cols),
            Stdio::Pipes => ("pipes", 0, 0),
            Stdio::PipesNoInput => ("pipes-no-input", 0, 0),
        };
        Self {
            name,
            call_id: listed.call.to_string(),
            attempt: listed.attempt.0,
            argv: listed.argv,
            cwd: listed.cwd.to_string(),
            stdio: stdio.to_owned(),
            rows: rows.into(),
            cols: cols.into(),
            started_at_ms: listed.started_at_ms,
            state: state.into(),
            end,
            output_bytes: listed.output_bytes,
            adopted: listed.adopted,
            chain: listed.chain.map(String::from).unwrap_or_default(),
            number,
        }
    }
}

impl TryFrom<wire::Session> for Seen {
    type Error = Malformed;

    fn try_from(wire: wire::Session) -> Result<Self, Malformed> {
        let state = match (wire.state(), wire.end) {
            (_, Some(end)) => ListedState::Ended(end_from_wire(end)?),
            (wire::SessionState::Ended, None) => return Err(Malformed::missing("session.end")),
            (wire::SessionState::Running, None) => ListedState::Running,
            (wire::SessionState::Starting | wire::SessionState::Unspecified, None) => ListedState::Starting,
        };
        let number = Some(wire.number).filter(|number| *number > 0);
        let stdio = match wire.stdio.as_str() {
            "terminal" => Stdio::Terminal(size(wire.rows, wire.cols)?),
            "pipes" => Stdio::Pipes,
            "pipes-no-input" => Stdio::PipesNoInput,
            _ => return Err(Malformed::new("session.stdio", "it is terminal, pipes or pipes-no-input")),
        };
        let SessionName { place, node } = name(wire.name)?;
        let listed = Listed {
            session: place.session,
            thread: place.thread,
            call: parse("session.call_id", &wire.call_id)?,
            attempt: attempt(wire.attempt)?,
            argv: wire.argv,
            cwd: parse("session.cwd", &wire.cwd)?,
            stdio,
            started_at_ms: wire.started_at_ms,
            state,
            output_bytes: wire.output_bytes,
            adopted: wire.adopted,
            chain: if wire.chain.is_empty() { None } else { Some(parse("session.chain", &wire.chain)?) },
        };
        Ok(Self { node, listed, number })
    }
}

/// Reads a terminal's size.
///
/// # Errors
/// More than 65535 lines or columns.
pub fn size(rows: u32, cols: u32) -> Result<TermSize, Malformed> {
    let cells = |count: u32| u16::try_from(count).map_err(|_| Malformed::new("size", "at most 65535 rows and columns"));
    Ok(TermSize { rows: cells(rows)?, cols: cells(cols)? })
}

/// Reads a node's name.
///
/// # Errors
/// A text that is none.
pub fn node(text: &str) -> Result<NodeId, Malformed> {
    parse("node_id", text)
}

/// An event as people are told it; `None` for the start, which was told to whoever asked for it.
#[must_use]
pub fn event(event: SessionEvent) -> Option<wire::SessionEvent> {
    use wire::session_event::Event;
    let seal = match &event {
        SessionEvent::Ended { seal, .. } => seal.as_deref().map(Into::into),
        SessionEvent::Started { .. } | SessionEvent::Output(_) | SessionEvent::Denied(_) => None,
    };
    let event = match event {
        SessionEvent::Started { .. } => return None,
        SessionEvent::Output(Piece::Bytes { seq, bytes }) => Event::Output(wire::SessionOutput { seq: seq.0, data: bytes }),
        SessionEvent::Output(Piece::Gap { seq, bytes }) => Event::Gap(wire::SessionGap { seq: seq.0, bytes }),
        SessionEvent::Denied(Denial { act, reason }) => Event::Denied(wire::Denial { act, reason }),
        SessionEvent::Ended { end, .. } => Event::Ended(end_to_wire(end)),
    };
    Some(wire::SessionEvent { event: Some(event), seal })
}

impl TryFrom<wire::SessionEvent> for SessionEvent {
    type Error = Malformed;

    fn try_from(wire: wire::SessionEvent) -> Result<Self, Malformed> {
        use wire::session_event::Event;
        Ok(match wire.event.ok_or_else(|| Malformed::missing("event"))? {
            Event::Output(output) => Self::Output(Piece::Bytes { seq: Seq(output.seq), bytes: output.data }),
            Event::Gap(gap) => Self::Output(Piece::Gap { seq: Seq(gap.seq), bytes: gap.bytes }),
            Event::Denied(wire::Denial { act, reason }) => Self::Denied(Denial { act, reason }),
            Event::Ended(end) => {
                Self::Ended { end: end_from_wire(end)?, seal: wire.seal.map(Seal::try_from).transpose()?.map(Box::new) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Attempt, CallId, SessionId, ThreadId};
    use capstan_types::launch::SessionEnd;
    use capstan_types::output::seal::{Hole, KeptWhole, Stopped};
    use capstan_types::path::AbsPath;

    fn seen(stdio: Stdio, state: ListedState) -> Seen {
        let listed = Listed {
            session: SessionId::from_u128(1),
            thread: ThreadId::from_u128(2),
            call: CallId::from_u128(3),
            attempt: Attempt(4),
            argv: vec!["sh".into()],
            cwd: AbsPath::new("/w").unwrap(),
            stdio,
            started_at_ms: 5,
            state,
            output_bytes: 6,
            adopted: true,
            chain: None,
        };
        Seen { node: "n1".parse().unwrap(), listed, number: None }
    }

    #[test]
    fn a_session_survives_the_wire() {
        let terminal = Stdio::Terminal(TermSize { rows: 7, cols: 8 });
        let states = [ListedState::Starting, ListedState::Running, ListedState::Ended(SessionEnd::Exited { code: 3 })];
        for ((stdio, state), number) in
            [terminal, Stdio::Pipes, Stdio::PipesNoInput].into_iter().zip(states).zip([None, Some(1000), Some(u32::MAX)])
        {
            let seen = Seen { number, ..seen(stdio, state) };
            assert_eq!(Seen::try_from(wire::Session::from(seen.clone())), Ok(seen));
        }
    }

    #[test]
    fn events_survive_the_wire() {
        let hole = Hole { from: Seq(4), bytes: 9 };
        let kept = KeptWhole { bytes: 5, sha256: "ab".repeat(32).parse().unwrap(), chain: None, stopped: Some(Stopped::Disk) };
        let seal = Seal { total: 20, hole, chain: "cd".repeat(32).parse().ok(), kept: Some(kept) };
        let events = [
            SessionEvent::Output(Piece::Bytes { seq: Seq(3), bytes: "x".into() }),
            SessionEvent::Output(Piece::Gap { seq: Seq(4), bytes: 9 }),
            SessionEvent::Denied(Denial { act: "a".into(), reason: "r".into() }),
            SessionEvent::Ended { end: SessionEnd::Killed { by: "ann".into() }, seal: Some(Box::new(seal)) },
        ];
        for sent in events {
            assert_eq!(event(sent.clone()).map(SessionEvent::try_from), Some(Ok(sent)));
        }
    }

    #[test]
    fn a_session_without_its_name_is_refused() {
        assert!(Seen::try_from(wire::Session { name: None, ..seen(Stdio::Pipes, ListedState::Running).into() }).is_err());
        assert!(name(Some(wire::SessionName::default())).is_err());
    }
}
