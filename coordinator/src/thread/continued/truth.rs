//! What the model is told of a call whose outcome is not known: when and where it was begun, what was seen of it, and what has changed. Pure.

use capstan_types::call::CallAttempt;
use capstan_types::clamp::HeadTail;
use capstan_types::id::SessionId;
use capstan_types::time::UnixMillis;
use time::OffsetDateTime;

/// The most bytes of output that are told, from the beginning and from the end each.
const OUTPUT: usize = 2048;

/// What is known of the call.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its last try.
    pub tried: &'a CallAttempt,
    /// Its session, if one is known.
    pub session: Option<SessionId>,
    /// The last output that was stored.
    pub output: &'a str,
    /// What changed in the workspace since the turn began; `None` if that cannot be had.
    pub diff: Option<&'a str>,
}

/// Why it is not known, for records and people.
pub const REASON: &str = "the coordinator ended while it ran; its outcome is unknown";

/// The facts, as the model is told them.
#[must_use]
pub fn facts(seen: Seen<'_>) -> String {
    let Seen { tried, session, output, diff } = seen;
    let session = session.map(|session| format!(", in session {session}")).unwrap_or_default();
    let mut told = format!("It was begun at {} on node {}{session}.", moment(tried.started_at), tried.node);
    match output.trim() {
        "" => told.push_str(" No output of it was seen."),
        _ => {
            let mut kept = HeadTail::new(OUTPUT);
            kept.push(output.as_bytes());
            told = format!("{told} The last output that was seen:\n{}\n", kept.clamp(u64::MAX).text.trim_end());
        }
    }
    match diff {
        None => told.push_str("\nWhat changed in the workspace since the turn began is not known."),
        Some("") => told.push_str("\nNo file of the workspace has changed since the turn began, as far as git would see it."),
        Some(diff) => {
            told = format!("{told}\nChanges of the workspace since the turn began, whoever made them:\n{}", diff.trim_end())
        }
    }
    told
}

/// All that is said in the place of an output.
#[must_use]
pub fn output(tool: &str, seen: Seen<'_>) -> String {
    format!(
        "{tool}: the coordinator ended while this call ran. Its outcome is unknown: it may have done all, part or none of its work, and it \
         was not done again. {}\nLook before you do it again.",
        facts(seen)
    )
}

fn moment(at: UnixMillis) -> String {
    let seconds = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(seconds) else { return format!("{} ms", at.0) };
    let (hour, minute, second) = moment.to_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", moment.date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::id::{Attempt, CallId};

    #[test]
    fn the_model_is_told_when_where_what_was_seen_and_what_has_changed() {
        let tried = CallAttempt {
            call: CallId::from_u128(1),
            attempt: Attempt(1),
            node: "n1".parse().unwrap(),
            session: None,
            started_at: UnixMillis(1_763_842_449_123),
        };
        let nothing = Seen { tried: &tried, session: None, output: "", diff: None };
        insta::assert_snapshot!(output("write_stdin", nothing));
        let all = Seen { session: Some(SessionId::from_u128(9)), output: "one\ntwo\n", diff: Some("+++ a\n+x\n"), ..nothing };
        insta::assert_snapshot!(output("exec_command", all));
        insta::assert_snapshot!(facts(Seen { diff: Some(""), ..all }));
    }
}
