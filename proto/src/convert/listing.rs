//! The list of a node's sessions.

use super::exec::{attempt, stdio};
use super::{Malformed, parse};
use crate::wire::node as wire;
use capstan_types::id::SessionId;
use capstan_types::session::{Listed, ListedState};

/// A page of sessions, with the one after which the next page begins.
#[must_use]
pub fn page(sessions: Vec<Listed>, next: Option<SessionId>) -> wire::ListResponse {
    let next_page_token = next.map(|session| session.to_string()).unwrap_or_default();
    wire::ListResponse { sessions: sessions.into_iter().map(Into::into).collect(), next_page_token }
}

/// Reads a page, and the token of the next one if there is one.
///
/// # Errors
/// A session without what makes it one.
pub fn sessions(page: wire::ListResponse) -> Result<(Vec<Listed>, Option<String>), Malformed> {
    let sessions = page.sessions.into_iter().map(Listed::try_from).collect::<Result<_, _>>()?;
    Ok((sessions, Some(page.next_page_token).filter(|token| !token.is_empty())))
}

/// Reads the token of a page: the session after which it begins.
///
/// # Errors
/// A text that no page has given.
pub fn after(token: &str) -> Result<Option<SessionId>, Malformed> {
    if token.is_empty() { Ok(None) } else { parse("page_token", token).map(Some) }
}

impl From<Listed> for wire::ListedSession {
    fn from(listed: Listed) -> Self {
        let (state, end) = match listed.state {
            ListedState::Starting => (wire::SessionState::Starting, None),
            ListedState::Running => (wire::SessionState::Running, None),
            ListedState::Ended(end) => (wire::SessionState::Ended, Some(end.into())),
        };
        Self {
            session_id: listed.session.to_string(),
            thread_id: listed.thread.to_string(),
            call_id: listed.call.to_string(),
            attempt: listed.attempt.0,
            argv: listed.argv,
            cwd: listed.cwd.to_string(),
            stdio: Some(listed.stdio.into()),
            started_at_ms: listed.started_at_ms,
            state: state.into(),
            end,
            output_bytes: listed.output_bytes,
            adopted: listed.adopted,
            chain: listed.chain.map(String::from).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::ListedSession> for Listed {
    type Error = Malformed;

    fn try_from(wire: wire::ListedSession) -> Result<Self, Malformed> {
        let state = match (wire.state(), wire.end) {
            (_, Some(end)) => ListedState::Ended(end.try_into()?),
            (wire::SessionState::Ended, None) => return Err(Malformed::missing("sessions.end")),
            (wire::SessionState::Running, None) => ListedState::Running,
            (wire::SessionState::Starting | wire::SessionState::Unspecified, None) => ListedState::Starting,
        };
        Ok(Self {
            session: parse("sessions.session_id", &wire.session_id)?,
            thread: parse("sessions.thread_id", &wire.thread_id)?,
            call: parse("sessions.call_id", &wire.call_id)?,
            attempt: attempt(wire.attempt)?,
            argv: wire.argv,
            cwd: parse("sessions.cwd", &wire.cwd)?,
            stdio: stdio(wire.stdio)?,
            started_at_ms: wire.started_at_ms,
            state,
            output_bytes: wire.output_bytes,
            adopted: wire.adopted,
            chain: if wire.chain.is_empty() { None } else { Some(parse("sessions.chain", &wire.chain)?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Attempt, CallId, ThreadId};
    use capstan_types::launch::{SessionEnd, Stdio};
    use capstan_types::output::chain::Chaining;
    use capstan_types::path::AbsPath;

    #[test]
    fn a_page_survives_the_wire() {
        let listed = |state| Listed {
            session: SessionId::from_u128(1),
            thread: ThreadId::from_u128(2),
            call: CallId::from_u128(3),
            attempt: Attempt(4),
            argv: vec!["sh".into(), "-c".into()],
            cwd: AbsPath::new("/w").unwrap(),
            stdio: Stdio::Pipes,
            started_at_ms: 5,
            state,
            output_bytes: 6,
            adopted: true,
            chain: Some(Chaining::new().end()),
        };
        let all: Vec<_> =
            [ListedState::Starting, ListedState::Running, ListedState::Ended(SessionEnd::Exited { code: 3 })].map(listed).into();
        let next = SessionId::from_u128(1);
        assert_eq!(sessions(page(all.clone(), Some(next))), Ok((all, Some(next.to_string()))));
        assert_eq!(sessions(page(vec![], None)), Ok((vec![], None)));
        assert_eq!(after(&next.to_string()), Ok(Some(next)));
        assert_eq!(after(""), Ok(None));
        assert!(after("x").is_err());
    }
}
