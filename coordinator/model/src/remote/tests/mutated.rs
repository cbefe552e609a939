//! Streams that are cut, doubled, reordered, garbled, dripped and stalled: none hangs, none panics, and no call is taken from an answer that
//! did not end.
//!
//! `CAPSTAN_MUTATIONS` says how many, `CAPSTAN_SEED` where to begin. A failure names its seed; that seed alone repeats it.

use super::*;
use mutation::Mutated;
use tokio::task::JoinSet;

mod mutation;

/// Streams at the same time: most of them only wait.
const AT_ONCE: usize = 8;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The events of one stream, each as its dialect sends it: a message, two calls, the end.
fn events(dialect: &str) -> Vec<Value> {
    let arguments = [r#"{"cmd":"rm -rf build && make"}"#, r#"{"cmd":"echo one two three"}"#];
    match dialect {
        "openai" => {
            let mut events =
                vec![json!({"type": "response.created", "response": {"id": "resp_1"}}), delta("Let me "), delta("look.")];
            events.push(message(0, "Let me look."));
            for (index, arguments) in (1..).zip(arguments) {
                let piece = |piece: &str| json!({"type": "response.function_call_arguments.delta", "output_index": index, "item_id": "fc", "delta": piece});
                let (head, tail) = arguments.split_at(9);
                events.extend([piece(head), piece(tail), function_call(index, &format!("bad{index}"), arguments)]);
            }
            events.push(completed());
            events
        }
        "openai-chat" => {
            let chunk = |delta: Value, finish: Value| json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            let mut events = vec![
                chunk(json!({"role": "assistant", "content": "Let me "}), Value::Null),
                chunk(json!({"content": "look."}), Value::Null),
            ];
            for (index, arguments) in (0..).zip(arguments) {
                let (head, tail) = arguments.split_at(9);
                let call = json!({"index": index, "id": format!("bad{index}"), "type": "function", "function": {"name": "exec_command", "arguments": head}});
                let more = json!({"index": index, "function": {"arguments": tail}});
                events.extend([call, more].map(|call| chunk(json!({"tool_calls": [call]}), Value::Null)));
            }
            events.push(chunk(json!({}), json!("tool_calls")));
            events
        }
        _ => {
            let mut events = vec![
                json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "usage": {"input_tokens": 5, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me look."}}),
                json!({"type": "content_block_stop", "index": 0}),
            ];
            for (index, arguments) in (1..).zip(arguments) {
                let (head, tail) = arguments.split_at(9);
                let piece = |piece: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": piece}});
                events.push(json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": format!("bad{index}"), "name": "exec_command", "input": {}}}));
                events.extend([piece(head), piece(tail), json!({"type": "content_block_stop", "index": index})]);
            }
            events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}));
            events.push(json!({"type": "message_stop"}));
            events
        }
    }
}

/// An answer that says one thing, in the dialect's form.
fn fine(dialect: &str) -> Vec<Act> {
    match dialect {
        "openai" => good("fine"),
        "openai-chat" => {
            let chunk =
                json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}]});
            let mut bytes = sse(&[chunk]);
            bytes.extend_from_slice(b"data: [DONE]\n\n");
            vec![Act::Send(bytes)]
        }
        _ => {
            let all = events(dialect);
            let text = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "fine"}});
            let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}});
            vec![Act::Send(sse(&[all[0].clone(), all[1].clone(), text, all[3].clone(), end, json!({"type": "message_stop"})]))]
        }
    }
}

/// Whether a stream holds the end of an answer, with nothing broken and no error before it: judged by its bytes alone.
fn ended(dialect: &str, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    for line in text.split(['\n', '\r']) {
        let Some(data) = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty() && *data != "[DONE]") else {
            continue;
        };
        let Ok(event) = serde_json::from_str::<Value>(data) else { return false };
        if event.get("error").is_some_and(|error| !error.is_null()) || event["type"] == "error" {
            return false;
        }
        let end = match dialect {
            "openai" => event["type"] == "response.completed",
            "openai-chat" => event.pointer("/choices/0/finish_reason").is_some_and(|reason| !reason.is_null()),
            _ => event.pointer("/delta/stop_reason").is_some_and(|reason| !reason.is_null()),
        };
        if end {
            return true;
        }
    }
    false
}

#[derive(Debug, Default)]
struct Seen {
    whole: u64,
    again: u64,
    failed: u64,
}

async fn one(seed: u64) -> (u64, Option<bool>) {
    let dialect = ["openai", "openai-chat", "anthropic"][usize::try_from(seed % 3).unwrap()];
    let Mutated { acts, body, what } = Mutated::of(&events(dialect), seed);
    let server = Server::start(vec![acts, fine(dialect)]).await;
    let model = model(&server, dialect, "stream_idle_timeout_ms = 250");
    let asked = prompt(vec![user("go")]);
    let (_, answer) =
        tokio::time::timeout(PATIENCE, ask(&model, asked)).await.unwrap_or_else(|_| panic!("seed {seed} hangs: {what}"));
    let Ok(answer) = answer else { return (seed, None) };
    let calls = answer.entries.iter().filter(|entry| matches!(entry, Entry::Call { .. })).count();
    let again = answer.entries == [said("fine")];
    assert!(again || ended(dialect, &body), "seed {seed}: an answer of {dialect} without an end was taken ({what}): {answer:?}");
    assert!(again || calls <= 4, "seed {seed}: {what}: {answer:?}");
    for entry in &answer.entries {
        if let Entry::Call { tool, .. } = entry {
            assert!(!tool.is_empty(), "seed {seed}: a call names no tool ({what})");
        }
    }
    (seed, Some(again))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_taken_from_a_stream_that_did_not_end() {
    let (count, first) = (number("CAPSTAN_MUTATIONS", 300), number("CAPSTAN_SEED", 1));
    let (mut running, mut seen) = (JoinSet::new(), Seen::default());
    let mut take = |ended: Result<(u64, Option<bool>), tokio::task::JoinError>| match ended.expect("a stream breaks the rules").1
    {
        Some(true) => seen.again += 1,
        Some(false) => seen.whole += 1,
        None => seen.failed += 1,
    };
    for seed in first..first + count {
        if running.len() >= AT_ONCE {
            take(running.join_next().await.unwrap());
        }
        running.spawn(one(seed));
    }
    while let Some(ended) = running.join_next().await {
        take(ended);
    }
    println!("{count} streams from seed {first}: {seen:?}");
    // Neither all good nor all lost: the mutations do what they should.
    assert!(count < 100 || (seen.whole > count / 20 && seen.again > count / 4), "{seen:?}");
}

#[tokio::test]
async fn an_untouched_stream_is_taken_whole() {
    for dialect in ["openai", "openai-chat", "anthropic"] {
        let server = Server::start(vec![vec![Act::Send(sse(&events(dialect)))], fine(dialect)]).await;
        let (_, answer) = go(&model(&server, dialect, "")).await;
        let calls = answer.unwrap().entries.iter().filter(|entry| matches!(entry, Entry::Call { .. })).count();
        assert_eq!(calls, 2, "{dialect}");
        let (_, again) = go(&model(&server, dialect, "")).await;
        assert_eq!(again.unwrap().entries, [said("fine")], "{dialect}");
        assert!(ended(dialect, &sse(&events(dialect))));
    }
}
