use super::*;
use proptest::prelude::*;

fn user(text: &str) -> Entry {
    Entry::User { text: text.to_owned(), images: Vec::new() }
}

fn said_by(text: &str) -> Entry {
    Entry::Assistant { text: text.to_owned() }
}

fn call(id: usize) -> Entry {
    Entry::Call { model_call_id: format!("c{id}"), tool: "t".into(), arguments: "{}".into() }
}

fn output(id: usize, text: &str) -> Entry {
    Entry::CallOutput { model_call_id: format!("c{id}"), output: text.to_owned() }
}

const fn one(_: &Entry) -> u64 {
    1
}

fn chosen(history: &[Entry], said: u64, recent: u64) -> Choice {
    choose(history, Room { said, recent }, |_| false, one)
}

#[test]
fn the_last_steps_stay_whole_and_what_the_user_said_before_them() {
    let history = [user("first"), call(1), output(1, "x"), user("second"), call(2), call(3), output(2, "x"), output(3, "x")];
    let choice = chosen(&history, 100, 4);
    assert_eq!(choice.recent, history[4..]);
    assert_eq!(choice.said, [user("first"), user("second")]);
    let choice = chosen(&history, 100, 3);
    assert!(choice.recent.is_empty(), "a step stays whole or not at all");
    assert_eq!(choice.dropped, history);
}

#[test]
fn what_the_model_has_not_seen_stays_whatever_its_size() {
    let history = [user("old"), said_by("answer"), Entry::Developer { text: "d".into() }, user("new")];
    let choice = chosen(&history, 100, 0);
    assert_eq!((choice.recent.as_slice(), choice.said.as_slice()), (&history[2..], &[user("old")][..]));
    assert!(chosen(&[user("only")], 100, 0).dropped.is_empty());
}

#[test]
fn an_older_summary_is_summed_up_again_and_does_not_pass_for_the_users_words() {
    let Entry::User { text: summary, .. } = words::summary("it went well", &[], &[]) else { panic!("it is told by the user") };
    let history = [user("wish"), user(&summary), call(1), output(1, "x")];
    let choice = chosen(&history, 100, 0);
    assert_eq!(choice.said, [user("wish")]);
    assert_eq!(choice.dropped, history);
}

#[test]
fn of_the_users_words_the_newest_stay() {
    let history = [user(&"a".repeat(400)), user(&"b".repeat(400)), user(&"c".repeat(400)), said_by("answer")];
    let said = chosen(&history, 150, 0).said;
    let texts: Vec<&str> =
        said.iter().map(|entry| if let Entry::User { text, .. } = entry { text.as_str() } else { "" }).collect();
    assert!(texts.len() == 2 && texts[0].starts_with("bbb") && texts[0].contains("truncated"), "{texts:?}");
    assert_eq!(texts[1], "c".repeat(400));
}

/// A step as turns make them: a user's word, or thoughts, text and calls with their outputs.
fn step() -> impl Strategy<Value = (bool, bool, usize)> {
    (any::<bool>(), any::<bool>(), 0_usize..4)
}

fn history(steps: &[(bool, bool, usize)]) -> Vec<Entry> {
    let (mut entries, mut next) = (Vec::new(), 0);
    for (number, (is_user, thinks, calls)) in steps.iter().enumerate() {
        if *is_user {
            entries.push(user(&format!("u{number}")));
            continue;
        }
        if *thinks {
            entries.push(Entry::Reasoning { text: String::new(), signature: Some("s".into()) });
        }
        if *thinks && *calls == 0 {
            entries.push(said_by("text"));
        }
        let ids = next..next + calls;
        entries.extend(ids.clone().map(call));
        entries.extend(ids.map(|id| output(id, "out")));
        next += calls;
    }
    entries
}

proptest! {
    #[test]
    fn what_stays_is_the_end_of_the_conversation_with_every_call_beside_its_output(
        steps in proptest::collection::vec(step(), 0..20),
        room in 0_u64..30,
    ) {
        let history = history(&steps);
        let choice = chosen(&history, 1000, room);
        let both: Vec<Entry> = choice.dropped.iter().chain(&choice.recent).cloned().collect();
        prop_assert_eq!(&both, &history);
        for part in [&choice.dropped, &choice.recent] {
            let calls: Vec<&String> = part.iter().filter_map(|entry| match entry {
                Entry::Call { model_call_id, .. } => Some(model_call_id),
                _ => None,
            }).collect();
            let outputs: Vec<&String> = part.iter().filter_map(|entry| match entry {
                Entry::CallOutput { model_call_id, .. } => Some(model_call_id),
                _ => None,
            }).collect();
            prop_assert_eq!(calls, outputs);
        }
        let unseen = history.iter().rev().take_while(|entry| is_told(entry)).count() as u64;
        prop_assert!(choice.recent.len() as u64 <= room.max(unseen) + unseen);
        prop_assert!(!matches!(choice.dropped.last(), Some(Entry::Reasoning { .. })), "a thought is parted from its calls");
        let users = |entries: &[Entry]| entries.iter().filter(|entry| matches!(entry, Entry::User { .. })).cloned().collect::<Vec<_>>();
        prop_assert_eq!(&choice.said, &users(&choice.dropped));
    }
}
