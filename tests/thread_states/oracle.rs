//! Whether a thread, as it is stored, is what it must be.

use crate::expected::{End, Expected};
use capstan_tests::stored::StoredThread;
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::item::ItemBody;
use std::collections::BTreeMap;

/// The turns that began, in order, each with its end.
pub(crate) fn turns(thread: &StoredThread) -> Vec<(TurnId, Option<End>)> {
    let mut turns: Vec<(TurnId, Option<End>)> = Vec::new();
    for event in &thread.events {
        let end = match &event.body {
            EventBody::TurnStarted => {
                turns.push((event.turn.expect("a turn has an id"), None));
                continue;
            }
            EventBody::TurnCompleted { .. } => End::Completed,
            EventBody::TurnInterrupted => End::Interrupted,
            EventBody::TurnFailed { .. } => End::Failed,
            _ => continue,
        };
        let last = turns.last_mut().expect("a turn began");
        assert_eq!(Some(last.0), event.turn, "another turn ends than the one that runs");
        last.1 = Some(end);
    }
    turns
}

/// The turns that must have begun.
pub(crate) fn expected_turns(expected: &Expected) -> Vec<(TurnId, Option<End>)> {
    let ended = expected.ended.iter().map(|(turn, end)| (*turn, Some(*end)));
    ended.chain(expected.runs.iter().map(|runs| (runs.turn, None))).collect()
}

/// What people said, as items show it.
pub(crate) fn items_said(thread: &StoredThread) -> Vec<String> {
    let said = |body: &EventBody| match body {
        EventBody::ItemCompleted { item } => match &item.body {
            ItemBody::UserMessage { text, .. } => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    thread.events.iter().filter_map(|event| said(&event.body)).collect()
}

/// What people said, as the model is told.
fn entries_said(entries: &[Entry]) -> Vec<String> {
    let said = |entry: &Entry| match entry {
        Entry::User { text, .. } if text.starts_with("text ") => Some(text.clone()),
        _ => None,
    };
    entries.iter().filter_map(said).collect()
}

/// Judges a thread in which nothing runs and nothing waits. That its events are legal was shown when it was read.
pub(crate) fn judge(thread: &StoredThread, expected: &Expected) {
    assert_eq!(turns(thread), expected_turns(expected), "the turns, in their order");
    assert_eq!(items_said(thread), expected.said, "what people see that was said");
    assert_eq!(entries_said(&thread.entries), expected.said, "what the model was told that was said");
    assert_eq!(thread.open_calls, [], "calls without an end");
    let mut outputs: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for entry in &thread.entries {
        match entry {
            Entry::Call { model_call_id, .. } => outputs.entry(model_call_id).or_default().0 += 1,
            Entry::CallOutput { model_call_id, .. } => {
                let counts = outputs.entry(model_call_id).or_default();
                counts.1 += 1;
                assert_eq!(counts.0, 1, "an output before its call");
            }
            _ => {}
        }
    }
    assert!(outputs.values().all(|counts| *counts == (1, 1)), "each call has one output: {outputs:?}");
}

/// Judges what a model is asked while its turn runs.
pub(crate) fn judge_prompt(entries: &[Entry], expected: &Expected) {
    assert_eq!(entries_said(entries), expected.all_said(), "what the model is told");
    let mut open: Vec<&str> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Call { model_call_id, .. } => open.push(model_call_id),
            Entry::CallOutput { model_call_id, .. } => {
                let place = open.iter().position(|open| open == model_call_id);
                open.remove(place.expect("an output has its call before it"));
            }
            _ => assert_eq!(open, [""; 0], "something stands between a call and its output"),
        }
    }
    assert_eq!(open, [""; 0], "a call without an output");
}
