use super::*;
use crate::thread::fixture::settings;
use capstan_types::history::{Entry, Image};
use capstan_types::id::{EventSeq, ThreadId};
use capstan_types::item::{Item, ItemId};

fn lines() -> Vec<Value> {
    let (thread, turn) = (ThreadId::from_u128(7), TurnId::from_u128(8));
    let record =
        ThreadRecord { name: Some("mine".into()), ..ThreadRecord::begun(thread, "c1".into(), settings(), UnixMillis(1_000)) };
    let placed = |after, entry| PlacedEntry { turn, after: EventSeq(after), entry };
    let entries = vec![
        placed(
            2,
            Entry::User { text: "Do it.".into(), images: vec![Image { media_type: "image/png".into(), base64: "AA".into() }] },
        ),
        placed(3, Entry::Call { model_call_id: "c".into(), tool: "exec_command".into(), arguments: "{}".into() }),
        placed(3, Entry::CallOutput { model_call_id: "c".into(), output: "out".into() }),
        placed(4, Entry::Assistant { text: "Done.".into() }),
    ];
    let message = Item { id: ItemId(1), body: ItemBody::AgentMessage { text: "Done.".into() } };
    let bodies = vec![
        (None, EventBody::ThreadStarted { thread, settings: Box::new(settings()) }),
        (Some(turn), EventBody::TurnStarted),
        (Some(turn), EventBody::Notice { message: "as an event of its own".into() }),
        (Some(turn), EventBody::ItemCompleted { item: message }),
        (Some(turn), EventBody::TurnCompleted { usage: Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() } }),
    ];
    let (mut rollout, first) = Rollout::begin(&record, "be good", entries);
    let mut lines = vec![first];
    for (seq, (turn, body)) in bodies.into_iter().enumerate() {
        lines.extend(rollout.add(Event { seq: EventSeq(seq as u64 + 1), at: UnixMillis(2_000 + seq as u64), turn, body }));
    }
    lines.extend(rollout.end());
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_thread_is_written_whole_and_in_the_order_in_which_it_was_stored() {
    let lines = lines();
    let kinds: Vec<String> = lines
        .iter()
        .map(|line| match &line["payload"]["type"] {
            Value::String(kind) => format!("{} {kind}", line["type"].as_str().unwrap()),
            _ => line["type"].as_str().unwrap().to_owned(),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "session_meta",
            "event_msg thread_started",
            "event_msg task_started",
            "turn_context",
            "response_item message",
            "event_msg notice",
            "response_item function_call",
            "response_item function_call_output",
            "event_msg item_completed",
            "response_item message",
            "event_msg task_complete",
        ]
    );
    let ordinals: Vec<u64> = lines.iter().map(|line| line["ordinal"].as_u64().unwrap()).collect();
    assert_eq!(ordinals, (0..lines.len() as u64).collect::<Vec<_>>());
    assert_eq!(lines[10]["timestamp"], "1970-01-01T00:00:02.004Z");
    assert_eq!(lines[10]["payload"]["last_agent_message"], "Done.");
}

#[test]
fn the_first_line_and_the_entries_have_the_shapes_that_codex_reads() {
    let lines = lines();
    assert_eq!(lines[0]["payload"]["id"], "00000000-0000-0000-0000-000000000007");
    assert_eq!(lines[0]["payload"]["capstan"]["name"], "mine");
    insta::assert_snapshot!(serde_json::to_string(&lines[4]["payload"]).unwrap());
    insta::assert_snapshot!(serde_json::to_string(&lines[6]["payload"]).unwrap());
}
