//! What becomes of a call that its coordinator did not live to end. Pure.
//!
//! Invariant: a call that may have done something outside the coordinator is never done a second time.

use capstan_types::call::{Call, CallAttempt, CallEnd, ReplayClass};
use capstan_types::id::{Attempt, NodeId};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It has ended; only the model was not told.
    Ended(Box<CallEnd>),
    /// It is run under its number of attempt, which no node has been asked under.
    Run,
    /// Its node is asked under the same attempt: it gives the session that runs or has ended, and starts one only if there was none.
    Again,
    /// It cannot be known what became of it.
    Unknown(CallAttempt),
}

/// What can be known of a call's tries.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The node of the thread.
    pub node: &'a NodeId,
    /// Whether that node still knows what it was asked before.
    pub remembers: bool,
    /// Whether it has a session of the call.
    pub has_session: bool,
    /// Whether nodes do each try of such a call once.
    pub once: bool,
}

/// Decides, and gives the call the number of the attempt under which it is to be run.
#[must_use]
pub fn fate(mut call: Call, end: Option<CallEnd>, tried: Option<&CallAttempt>, known: Known<'_>) -> (Call, Fate) {
    if let Some(end) = end {
        return (call, Fate::Ended(Box::new(end)));
    }
    let Some(last) = tried else { return (call, Fate::Run) };
    call.attempt = last.attempt;
    if call.replay == ReplayClass::Pure {
        call.attempt = Attempt(last.attempt.0.saturating_add(1));
        return (call, Fate::Run);
    }
    if known.once && last.node == *known.node && (known.has_session || known.remembers) {
        return (call, Fate::Again);
    }
    (call, Fate::Unknown(last.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::call::Outcome;
    use capstan_types::id::{CallId, TurnId};
    use capstan_types::time::UnixMillis;

    fn call(replay: ReplayClass) -> Call {
        Call {
            id: CallId::from_u128(1),
            turn: TurnId::from_u128(1),
            model_call_id: "c".into(),
            tool: "t".into(),
            arguments: String::new(),
            attempt: Attempt(1),
            asked_at: UnixMillis(1),
            replay,
        }
    }

    fn tried(node: &str) -> CallAttempt {
        let node = node.parse().unwrap();
        CallAttempt { call: CallId::from_u128(1), attempt: Attempt(1), node, session: None, started_at: UnixMillis(1) }
    }

    fn decided(
        replay: ReplayClass,
        tried: Option<&CallAttempt>,
        (once, remembers, has_session): (bool, bool, bool),
    ) -> (u32, Fate) {
        let node = "n1".parse().unwrap();
        let (call, fate) = fate(call(replay), None, tried, Known { node: &node, remembers, has_session, once });
        (call.attempt.0, fate)
    }

    #[test]
    fn one_that_ended_is_not_run() {
        let end = CallEnd {
            call: CallId::from_u128(1),
            outcome: Outcome::Finished { end: None },
            output: "o".into(),
            ended_at: UnixMillis(2),
        };
        let node = "n1".parse().unwrap();
        let known = Known { node: &node, remembers: true, has_session: true, once: true };
        let (_, fate) = fate(call(ReplayClass::Pure), Some(end.clone()), Some(&tried("n1")), known);
        assert_eq!(fate, Fate::Ended(Box::new(end)));
    }

    #[test]
    fn one_that_nobody_was_asked_for_is_run_and_a_pure_one_again() {
        assert_eq!(decided(ReplayClass::External, None, (false, false, false)), (1, Fate::Run));
        assert_eq!(decided(ReplayClass::Pure, Some(&tried("n1")), (false, false, false)), (2, Fate::Run));
    }

    #[test]
    fn any_other_is_run_under_its_own_attempt_by_a_node_that_remembers_it_or_not_at_all() {
        for replay in [ReplayClass::External, ReplayClass::Workspace] {
            let (here, elsewhere) = (tried("n1"), tried("n2"));
            assert_eq!(decided(replay, Some(&here), (true, true, false)), (1, Fate::Again));
            assert_eq!(decided(replay, Some(&here), (true, false, true)), (1, Fate::Again));
            assert_eq!(decided(replay, Some(&here), (true, false, false)), (1, Fate::Unknown(here.clone())));
            assert_eq!(decided(replay, Some(&here), (false, true, true)), (1, Fate::Unknown(here.clone())));
            assert_eq!(decided(replay, Some(&elsewhere), (true, true, true)), (1, Fate::Unknown(elsewhere.clone())));
        }
    }
}
