//! The other dialects: an answer with a call, its way back, and a stream that breaks.

use super::*;
use capstan_types::history::Usage;

/// Lines without the names of events.
fn data(events: &[Value]) -> Vec<u8> {
    let mut bytes = sse(&[]);
    for event in events {
        bytes.extend_from_slice(format!("data: {event}\n\n").as_bytes());
    }
    bytes
}

fn usage(input: u64, cached: u64, output: u64, reasoning: u64) -> Usage {
    Usage {
        input_tokens: input,
        cached_input_tokens: cached,
        cache_write_input_tokens: 0,
        output_tokens: output,
        reasoning_output_tokens: reasoning,
    }
}

/// Two steps: the first answers with calls, the second's request is given back. `end` stands in the event that ends the answer.
async fn two_steps(id: &str, model_name: &str, first: Vec<u8>, end: &str) -> (Answer, Value) {
    // Streams that end early: inside an event, and between two, before the one that ends the answer.
    let inside = first[..first.len() / 2].to_vec();
    let text = String::from_utf8(first.clone()).unwrap();
    let (before, _) = text.rsplit_once(end).unwrap();
    let between = before.as_bytes()[..=before.rfind('\n').unwrap()].to_vec();
    let answers = [inside, between, first].map(|bytes| vec![Act::Send(bytes)]);
    let mut server = Server::start(answers.into_iter().chain([status(400, "", "")]).collect()).await;
    let model = model(&server, id, "");
    let asked = |entries| Prompt { model: model_name.to_owned(), ..prompt(entries) };
    let (events, answer) = ask(&model, asked(vec![user("go")])).await;
    assert_eq!(retries(&events), 2, "a broken stream was taken for an answer: {events:?}");
    let answer = answer.unwrap();
    let mut history = vec![user("go")];
    history.extend(answer.entries.clone());
    let outputs = answer.entries.iter().filter_map(|entry| match entry {
        Entry::Call { model_call_id, .. } => Some(output(model_call_id, "done")),
        _ => None,
    });
    history.extend(outputs);
    ask(&model, asked(history)).await.1.unwrap_err();
    (answer, server.requests().remove(3).body)
}

fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn piece(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}})
}

#[tokio::test]
async fn chat_completions_answer_and_go_back() {
    let mut first = data(&[
        chunk(&json!({"role": "assistant", "reasoning_content": "hm"}), None),
        chunk(&json!({"content": "I look."}), None),
        chunk(&json!({"tool_calls": [piece(0, "c1", "exec_command", "")]}), None),
        chunk(&json!({"tool_calls": [piece(0, "", "", "{\"cmd\": ")]}), None),
        chunk(&json!({"tool_calls": [piece(0, "", "", "\"ls\"}"), piece(1, "c2", "exec_command", "{bad")]}), None),
        chunk(&json!({}), Some("tool_calls")),
        json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}}),
    ]);
    first.extend_from_slice(b"data: [DONE]\n\n");
    let (answer, second) = two_steps("openai-chat", "m", first, "\"finish_reason\":\"").await;
    let thought = Entry::Reasoning { text: "hm".to_owned(), signature: Some("chat@openai-chat#".to_owned()) };
    assert_eq!(answer.entries, [thought, said("I look."), call("c1", "{\"cmd\": \"ls\"}"), call("c2", "{bad")]);
    assert_eq!(answer.usage, usage(9, 4, 5, 2));
    let spoken = |id: &str, arguments: &str| json!({"type": "function", "id": id, "function": {"name": "exec_command", "arguments": arguments}});
    assert_eq!(
        second["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": "I look.", "reasoning_content": "hm",
             "tool_calls": [spoken("c1", "{\"cmd\":\"ls\"}"), spoken("c2", "{\"invalid_arguments\":\"{bad\"}")]},
            {"role": "tool", "content": "done", "tool_call_id": "c1"},
            {"role": "tool", "content": "done", "tool_call_id": "c2"},
        ])
    );
    assert_eq!(second.get("prompt_cache_key"), None, "imitations may not know it");
}

#[tokio::test]
async fn imitations_of_chat_completions_are_understood() {
    // Calls that all have the same index, no [DONE], and a connection that stays open.
    let calls = json!({"tool_calls": [piece(0, "a", "exec_command", "{}"), piece(0, "b", "exec_command", "{}")]});
    let first = data(&[chunk(&calls, Some("tool_calls"))]);
    let server = Server::start(vec![vec![Act::Send(first.clone())], vec![Act::Send(first), Act::Hold]]).await;
    let model = model(&server, "openai-chat", "stream_idle_timeout_ms = 150");
    for _ in 0..2 {
        let (events, answer) = go(&model).await;
        assert_eq!((answer.unwrap().entries, retries(&events)), (vec![call("a", "{}"), call("b", "{}")], 0));
    }
}

#[tokio::test]
async fn a_first_call_with_a_later_index_is_one_call() {
    let calls = json!({"tool_calls": [piece(1, "a", "exec_command", "{}")]});
    let mut first = data(&[chunk(&calls, None), chunk(&json!({}), Some("tool_calls"))]);
    first.extend_from_slice(b"data: [DONE]\n\n");
    let server = Server::start(vec![vec![Act::Send(first)]]).await;
    assert_eq!(go(&model(&server, "openai-chat", "")).await.1.unwrap().entries, [call("a", "{}")]);
}

#[tokio::test]
async fn a_chat_that_reached_its_limit_is_incomplete_and_one_without_a_reason_is_cut() {
    let limit = data(&[chunk(&json!({"content": "half"}), Some("length"))]);
    let mut no_reason = data(&[chunk(&json!({"content": "half"}), None)]);
    no_reason.extend_from_slice(b"data: [DONE]\n\n");
    let mut server = Server::start(vec![vec![Act::Send(limit)], vec![Act::Send(no_reason)]]).await;
    let model = model(&server, "openai-chat", "stream_max_retries = 1");
    assert!(matches!(go(&model).await.1.unwrap_err(), ModelError::Incomplete(_)));
    assert_eq!(server.requests().len(), 1);
    assert!(matches!(go(&model).await.1.unwrap_err(), ModelError::Unavailable(_)));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn anthropic_answers_and_goes_back_with_its_thoughts() {
    let block = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let stop = |index: u64| json!({"type": "content_block_stop", "index": index});
    let first = sse(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 4, "output_tokens": 1}}}),
        json!({"type": "ping"}),
        block(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        delta(0, json!({"type": "signature_delta", "signature": "SIG"})),
        stop(0),
        block(1, json!({"type": "redacted_thinking", "data": "HID"})),
        stop(1),
        block(2, json!({"type": "text", "text": ""})),
        delta(2, json!({"type": "text_delta", "text": "I look."})),
        stop(2),
        block(3, json!({"type": "tool_use", "id": "t1", "name": "exec_command", "input": {}})),
        delta(3, json!({"type": "input_json_delta", "partial_json": "{\"cmd\": "})),
        delta(3, json!({"type": "input_json_delta", "partial_json": "\"ls\"}"})),
        stop(3),
        block(4, json!({"type": "tool_use", "id": "t2", "name": "exec_command", "input": {}})),
        stop(4),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ]);
    let (answer, second) = two_steps("anthropic", "claude-sonnet-4-5", first, "data: {\"type\":\"message_stop\"").await;
    let [thought, hidden, rest @ ..] = answer.entries.as_slice() else { panic!("{answer:?}") };
    let signed =
        |text: &str, form: &str| Entry::Reasoning { text: text.into(), signature: Some(format!("anthropic@anthropic#{form}")) };
    assert_eq!(*thought, signed("hm", "signature:SIG"));
    assert_eq!(*hidden, signed("", "block:{\"type\":\"redacted_thinking\",\"data\":\"HID\"}"));
    assert_eq!(rest, [said("I look."), call("t1", "{\"cmd\": \"ls\"}"), call("t2", "{}")]);
    assert_eq!(answer.usage, usage(9, 4, 7, 0));
    let result = |id: &str| json!({"type": "tool_result", "content": "done", "tool_use_id": id});
    let mut last_result = result("t2");
    last_result["cache_control"] = json!({"type": "ephemeral"});
    assert_eq!(
        second["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "go", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "SIG"},
                {"type": "redacted_thinking", "data": "HID"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "exec_command", "input": {"cmd": "ls"}},
                {"type": "tool_use", "id": "t2", "name": "exec_command", "input": {}},
            ]},
            {"role": "user", "content": [result("t1"), last_result]},
        ])
    );
    assert_eq!(second["system"], "Be brief.");
}

#[tokio::test]
async fn an_overloaded_anthropic_is_asked_again_and_a_long_prompt_is_not() {
    let overloaded = sse(&[json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})]);
    let too_long = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 2 > 1"}});
    let mut server = Server::start(vec![vec![Act::Send(overloaded)], status(400, "", &too_long.to_string())]).await;
    let (events, answer) = go(&model(&server, "anthropic", "")).await;
    assert_eq!(retries(&events), 1);
    assert_eq!(answer.unwrap_err(), ModelError::ContextWindow("400: prompt is too long: 2 > 1".to_owned()));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn gemini_answers_and_goes_back_with_its_signatures() {
    let parts = |parts: Value, finish: Option<&str>| {
        json!({"candidates": [{"content": {"parts": parts}, "finishReason": finish}],
            "usageMetadata": {"promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": 5, "thoughtsTokenCount": 2}})
    };
    let function = |cmd: &str| json!({"name": "exec_command", "args": {"cmd": cmd}});
    let first = data(&[
        parts(json!([{"text": "hm", "thought": true}]), None),
        parts(json!([{"text": "I look."}]), None),
        parts(json!([{"functionCall": function("ls"), "thoughtSignature": "SIG"}]), None),
        parts(json!([{"functionCall": function("pwd")}]), Some("STOP")),
    ]);
    let (answer, second) = two_steps("gemini", "gemini-3-pro", first, "\"finishReason\":\"STOP\"").await;
    let signature = Some("gemini@gemini#[\"SIG\",null]".to_owned());
    let calls = [call("call#exec_command#0", "{\"cmd\":\"ls\"}"), call("call#exec_command#1", "{\"cmd\":\"pwd\"}")];
    let before = [Entry::Reasoning { text: "hm".to_owned(), signature }, said("I look.")];
    assert_eq!(answer.entries, [before.as_slice(), &calls].concat());
    assert_eq!(answer.usage, usage(9, 4, 7, 2));
    let response = json!({"functionResponse": {"name": "exec_command", "response": {"name": "exec_command", "content": "done"}}});
    assert_eq!(
        second["contents"],
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "I look."},
                {"functionCall": function("ls"), "thoughtSignature": "SIG"},
                {"functionCall": function("pwd")},
            ]},
            {"role": "user", "parts": [response, response]},
        ])
    );
}

#[tokio::test]
async fn a_prompt_that_gemini_blocks_is_not_asked_again() {
    let blocked = data(&[json!({"promptFeedback": {"blockReason": "SAFETY"}})]);
    let mut server = Server::start(vec![vec![Act::Send(blocked)]]).await;
    let error = go(&model(&server, "gemini", "")).await.1.unwrap_err();
    assert_eq!(error, ModelError::Refused("the prompt was blocked (SAFETY)".to_owned()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn ollama_answers_and_goes_back() {
    let mut first = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n".to_vec();
    let lines = [
        json!({"message": {"role": "assistant", "thinking": "hm"}, "done": false}),
        json!({"message": {"content": "I look.", "tool_calls": [{"id": "o1", "function": {"name": "exec_command", "arguments": {"cmd": "ls"}}}]}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 5}),
    ];
    for line in lines {
        first.extend_from_slice(format!("{line}\n").as_bytes());
    }
    let (answer, second) = two_steps("ollama", "llama", first, "\"done\":true").await;
    let thought = Entry::Reasoning { text: "hm".to_owned(), signature: None };
    assert_eq!(answer.entries, [thought, said("I look."), call("o1", "{\"cmd\":\"ls\"}")]);
    assert_eq!(answer.usage, usage(9, 0, 5, 0));
    let function = json!({"function": {"name": "exec_command", "arguments": {"cmd": "ls"}}});
    assert_eq!(
        second["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": "I look.", "tool_calls": [function]},
            {"role": "tool", "content": "done"},
        ])
    );
}

#[tokio::test]
async fn an_error_of_ollama_inside_its_answer_is_not_lost() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"error\":\"out of memory\"}\n";
    let server = Server::start(vec![vec![Act::Send(answer.as_bytes().to_vec())]]).await;
    let error = go(&model(&server, "ollama", "stream_max_retries = 0")).await.1.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("out of memory (tried once)".to_owned()));
}
