//! Which session is meant by the beginning of an id, or by a number within a thread.

use super::place::{FORGOTTEN, refused};
use crate::args::WhichArgs;
use crate::client::{AllSessions, Client, SessionFilter};
use crate::failure::Failure;
use capstan_types::operator::Seen;
use capstan_types::session::ListedState;

/// How many candidates are told.
const TOLD: usize = 8;

/// The session that is meant.
pub(super) async fn find(client: &mut Client, which: &WhichArgs) -> Result<Seen, Failure> {
    let id = prefix(&which.id, "session")?;
    let thread = which.thread.as_deref().map(|text| prefix(text, "thread")).transpose()?;
    let all = client.sessions(SessionFilter::default()).await.map_err(|error| refused(&error))?;
    choose(all, &which.id, &id, thread.as_deref())
}

fn choose(all: AllSessions, given: &str, id: &str, thread: Option<&str>) -> Result<Seen, Failure> {
    let AllSessions { sessions, silent, more } = all;
    let of_thread = |seen: &Seen| thread.is_none_or(|thread| begins(seen.listed.thread, thread));
    let (numbered, others): (Vec<Seen>, Vec<Seen>) =
        sessions.into_iter().filter(of_thread).partition(|seen| is_number(given, seen.number));
    if let (Some(_), false) = (thread, numbered.is_empty()) {
        return only(numbered).map_err(|found| several(given, "the number", &found, "give more of the thread's id"));
    }
    let strangers = numbered.len();
    let mut found: Vec<Seen> = numbered.into_iter().chain(others).filter(|seen| begins(seen.listed.session, id)).collect();
    found.sort_by_key(|seen| seen.listed.session);
    match only(found) {
        Ok(seen) => Ok(seen),
        Err(found) if found.is_empty() && strangers > 0 => {
            let sentence = format!("there is no session {given}; sessions have numbers within their thread");
            Err(Failure::bad_input(sentence).hint(format!("name the thread as well: `{given} --thread ID`")))
        }
        Err(found) if found.is_empty() => Err(none(given, &silent, more)),
        Err(found) => Err(several(given, "the beginning", &found, "give more of the id")),
    }
}

/// Whether `given` is this number, as a model writes it.
fn is_number(given: &str, number: Option<u32>) -> bool {
    number.is_some_and(|number| number.to_string() == given)
}

/// The only one, or all of them.
fn only(mut found: Vec<Seen>) -> Result<Seen, Vec<Seen>> {
    match found.pop() {
        Some(seen) if found.is_empty() => Ok(seen),
        last => {
            found.extend(last);
            Err(found)
        }
    }
}

fn several(given: &str, what: &str, found: &[Seen], hint: &str) -> Failure {
    let more = found.len().saturating_sub(TOLD);
    let mut told: Vec<String> = found.iter().take(TOLD).map(|seen| seen.listed.session.to_string()).collect();
    told.extend((more > 0).then(|| format!("{more} more")));
    Failure::bad_input(format!("`{given}` is {what} of {} sessions: {}", found.len(), told.join(", "))).hint(hint)
}

fn none(given: &str, silent: &[(String, String)], more: bool) -> Failure {
    let failure = Failure::failed(format!("there is no session {given}"));
    if let Some((node, reason)) = silent.first() {
        return failure.hint(format!("node {node} could not tell whether it has it: {reason}"));
    }
    failure.hint(if more { "there are more sessions than can be searched: ask its node with --node" } else { FORGOTTEN })
}

/// Reads the beginning of an id: hexadecimal digits, and dashes that mean nothing.
pub(super) fn prefix(text: &str, kind: &str) -> Result<String, Failure> {
    let digits = text.replace('-', "").to_ascii_lowercase();
    if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let given: String = text.chars().take(80).collect();
        return Err(Failure::bad_input(format!("`{given}` is not the id of a {kind}, nor the beginning of one"))
            .hint("`capstan sessions list --all` shows those that there are"));
    }
    Ok(digits)
}

/// Whether an id begins with these digits.
pub(super) fn begins(id: impl ToString, digits: &str) -> bool {
    id.to_string().replace('-', "").starts_with(digits)
}

/// Whether it still runs, or is about to.
pub(super) const fn is_live(seen: &Seen) -> bool {
    !matches!(seen.listed.state, ListedState::Ended(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sessions::table::fixture::seen;
    use capstan_types::id::{SessionId, ThreadId};

    fn all(ids: &[u128]) -> AllSessions {
        AllSessions { sessions: ids.iter().map(|id| seen(*id)).collect(), ..AllSessions::default() }
    }

    fn chosen(ids: &[u128], given: &str) -> Result<String, String> {
        let id = prefix(given, "session").map_err(|failure| failure.sentence)?;
        choose(all(ids), given, &id, None).map(|seen| seen.listed.session.to_string()).map_err(|failure| failure.sentence)
    }

    const A: u128 = 0x0198_aaaa << 96;
    const B: u128 = 0x0198_bbbb << 96;

    #[test]
    fn a_beginning_that_no_other_has_is_enough() {
        assert_eq!(chosen(&[A, B], "0198a").unwrap(), "0198aaaa-0000-0000-0000-000000000000");
        assert_eq!(chosen(&[A, B], "0198BBBB-00").unwrap(), "0198bbbb-0000-0000-0000-000000000000");
    }

    #[test]
    fn a_beginning_that_several_have_names_them() {
        let said = chosen(&[A, B], "0198").unwrap_err();
        assert!(said.starts_with("`0198` is the beginning of 2 sessions: 0198aaaa-") && said.contains(", 0198bbbb-"), "{said}");
        let many: Vec<u128> = (0..20).map(|number| A + number).collect();
        assert!(chosen(&many, "0198").unwrap_err().ends_with(", 12 more"));
    }

    #[test]
    fn what_is_gone_and_what_is_no_id_are_told_apart() {
        let gone = choose(all(&[A]), "7", "7", None).unwrap_err();
        assert_eq!((gone.exit.code(), gone.sentence.as_str()), (1, "there is no session 7"));
        for bad in ["", "x", "--", "0198 ", &"0".repeat(33)] {
            assert_eq!(prefix(bad, "session").unwrap_err().exit.code(), 2, "{bad:?}");
        }
    }

    #[test]
    fn a_thread_narrows_the_choice() {
        let given = |thread: &str| choose(all(&[A, B]), "0198", "0198", Some(thread)).map_err(|failure| failure.sentence);
        assert!(given("ff").unwrap_err().starts_with("there is no session"));
    }

    fn numbered(of: &[(u128, u128, u32)]) -> AllSessions {
        let session = |(id, thread, number): &(u128, u128, u32)| {
            let mut seen = Seen { number: Some(*number), ..seen(*id) };
            seen.listed.thread = ThreadId::from_u128(*thread);
            seen
        };
        AllSessions { sessions: of.iter().map(session).collect(), ..AllSessions::default() }
    }

    #[test]
    fn a_number_means_a_session_of_its_thread() {
        let all = || {
            numbered(&[
                (A, 0xaa << 120, 1000),
                (A + 1, 0xaa << 120, 1001),
                (B, 0xbb << 120, 1000),
                (0x1000 << 112, 0xaa << 120, 1002),
            ])
        };
        let given = |given: &str, thread| choose(all(), given, given, thread).map(|seen| seen.listed.session);
        assert_eq!(given("1000", Some("aa")).unwrap(), SessionId::from_u128(A), "the number comes before the beginning of an id");
        assert_eq!(given("1000", Some("bb")).unwrap(), SessionId::from_u128(B));
        assert_eq!(given("1001", Some("aa")).unwrap(), SessionId::from_u128(A + 1));
        assert_eq!(
            given("1000", None).unwrap(),
            SessionId::from_u128(0x1000 << 112),
            "without a thread it is the beginning of an id"
        );
        let without = given("1001", None).unwrap_err();
        assert_eq!(without.sentence, "there is no session 1001; sessions have numbers within their thread");
        assert_eq!(without.hint.unwrap(), "name the thread as well: `1001 --thread ID`");
    }

    #[test]
    fn a_number_that_several_threads_have_names_them() {
        let all = numbered(&[(A, 0xa1 << 120, 1000), (B, 0xa2 << 120, 1000)]);
        let said = choose(all, "1000", "1000", Some("a")).unwrap_err();
        assert!(said.sentence.starts_with("`1000` is the number of 2 sessions: 0198aaaa-"), "{}", said.sentence);
        assert_eq!(said.hint.unwrap(), "give more of the thread's id");
    }

    #[test]
    fn a_node_that_is_silent_may_have_it() {
        let silent = AllSessions { silent: vec![("far".into(), "it cannot be reached".into())], ..all(&[]) };
        let hint = choose(silent, "7", "7", None).unwrap_err().hint.unwrap();
        assert_eq!(hint, "node far could not tell whether it has it: it cannot be reached");
    }
}
