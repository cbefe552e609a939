//! What must hold when a turn has ended, whoever was killed on its way.

use crate::house::Trial;
use crate::script::{GOT, PATCHED, TOKENS};
use capstan_tests::capstan::Run;
use capstan_tests::stored::StoredThread;
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::item::{ItemBody, ItemStatus};
use std::collections::BTreeMap;

/// Reading the store has shown that its events have no holes, and that each turn and item begins once and ends once.
pub(crate) fn judge(point: &str, run: &Run, thread: &StoredThread, trial: &Trial<'_>) {
    let context = format!("killed at {point}\n{run}\n{:#?}", thread.entries);
    assert_eq!(run.status.code(), Some(0), "{context}");
    assert_eq!(run.final_message().as_deref(), Some("done"), "{context}");
    assert_eq!(thread.open_calls, [], "{context}");
    what_was_told_is_stored(&context, run, thread);
    effects(&context, thread, trial);
    let mut outputs: BTreeMap<&str, i32> = BTreeMap::new();
    for entry in &thread.entries {
        match entry {
            Entry::Call { model_call_id, .. } => *outputs.entry(model_call_id).or_default() += 1,
            Entry::CallOutput { model_call_id, .. } => *outputs.entry(model_call_id).or_default() -= 1,
            _ => {}
        }
    }
    assert!(outputs.len() == 6 && outputs.values().all(|open| *open == 0), "each call has one output: {outputs:?}\n{context}");
    let answers = thread.events.iter().filter(|event| matches!(event.body, EventBody::ModelAnswered { .. })).count();
    assert_eq!(answers, 5, "a stored answer is not asked for again: {context}");
}

/// Each item that a client was told of is in the store, as it was told and in that order, and the other way round.
fn what_was_told_is_stored(context: &str, run: &Run, thread: &StoredThread) {
    let told = |kind: &str| run.lines().iter().filter(|line| line["type"] == kind).count();
    let kinds = thread.kinds();
    let kept = |kind: &str| kinds.iter().filter(|stored| stored.starts_with(kind) && *stored != "completed user message").count();
    assert_eq!(told("item.completed"), kept("completed "), "{kinds:?}\n{context}");
    assert_eq!((told("turn.started"), told("turn.completed")), (1, 1), "{context}");
    assert_eq!((kept("turn started"), kept("turn completed")), (1, 1), "{context}");
}

/// No command ran twice, and what is called completed was.
fn effects(context: &str, thread: &StoredThread, trial: &Trial<'_>) {
    let log = trial.read("log");
    let count = |token: &str| log.lines().filter(|line| *line == token).count();
    for token in TOKENS {
        assert_eq!(count(token), 1, "{token} in {log:?}\n{context}");
    }
    assert_eq!(trial.read(PATCHED.0), PATCHED.1, "{context}");
    let output = |id: &str| {
        thread.entries.iter().find_map(|entry| match entry {
            Entry::CallOutput { model_call_id, output } if model_call_id == id => Some(output.as_str()),
            _ => None,
        })
    };
    let told = output("tell").unwrap_or_default();
    if told.contains("Its outcome is unknown") {
        assert!(
            told.contains("It was begun at 20") && told.contains("on node far") && told.contains("+by the patch"),
            "{context}"
        );
        assert!(count(GOT) <= 1, "{log:?}\n{context}");
    } else {
        assert_eq!(count(GOT), 1, "{log:?}\n{context}");
    }
    for event in &thread.events {
        if let EventBody::ItemCompleted { item } = &event.body
            && let ItemBody::CommandExecution(command) = &item.body
            && command.status == ItemStatus::Completed
        {
            let token = TOKENS.iter().find(|token| command.command.contains(&format!("echo {token} >>"))).expect("a token");
            assert_eq!(count(token), 1, "{context}");
            assert!(*token != TOKENS[0] || count(GOT) == 1, "the held command completed without its input: {context}");
        }
    }
}
