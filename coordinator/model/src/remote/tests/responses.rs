//! Answers of the Responses API, as they should be and in the shapes that servers give them.

use super::*;
use capstan_types::history::Usage;

/// Reasoning, a message and two calls.
fn rich() -> Vec<Value> {
    vec![
        json!({"type": "response.created", "response": {"id": "resp_1"}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Look first."}),
        item(
            0,
            json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look first."}], "encrypted_content": "gAAA="}),
        ),
        delta("I lo"),
        delta("ök."),
        message(1, "I lök."),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{\"cmd\":"}),
        function_call(2, "c1", "{\"cmd\": \"ls\"}"),
        function_call(3, "c2", "{\"cmd\": broken"),
        completed(),
    ]
}

fn rich_answer() -> Answer {
    Answer {
        entries: vec![
            Entry::Reasoning { text: "Look first.".to_owned(), signature: Some("responses@openai#gAAA=".to_owned()) },
            said("I lök."),
            call("c1", "{\"cmd\": \"ls\"}"),
            call("c2", "{\"cmd\": broken"),
        ],
        usage: Usage {
            input_tokens: 100,
            cached_input_tokens: 40,
            cache_write_input_tokens: 0,
            output_tokens: 10,
            reasoning_output_tokens: 3,
        },
    }
}

#[tokio::test]
async fn an_answer_comes_in_pieces_and_then_whole() {
    let server = Server::start(vec![vec![Act::Send(sse(&rich()))]]).await;
    let (events, answer) = go(&model(&server, "openai", "")).await;
    assert_eq!(answer.unwrap(), rich_answer());
    assert_eq!(
        events,
        [
            ModelEvent::ReasoningDelta("Look first.".to_owned()),
            ModelEvent::TextDelta("I lo".to_owned()),
            ModelEvent::TextDelta("ök.".to_owned())
        ]
    );
}

#[tokio::test]
async fn an_answer_that_drips_byte_by_byte_is_the_same() {
    let server = Server::start(vec![vec![Act::Drip(sse(&rich()))]]).await;
    let (events, answer) = go(&model(&server, "openai", "")).await;
    assert_eq!((answer.unwrap(), retries(&events)), (rich_answer(), 0));
}

#[tokio::test]
async fn events_that_come_twice_count_once() {
    let mut twice: Vec<Value> = Vec::new();
    for event in rich() {
        let is_delta = event["type"].as_str().is_some_and(|name| name.ends_with(".delta"));
        twice.extend(std::iter::repeat_n(event, if is_delta { 1 } else { 2 }));
    }
    let server = Server::start(vec![vec![Act::Send(sse(&twice))]]).await;
    assert_eq!(go(&model(&server, "openai", "")).await.1.unwrap(), rich_answer());
}

#[tokio::test]
async fn what_the_model_thought_and_did_goes_back_with_the_next_request() {
    let mut server = Server::start(vec![vec![Act::Send(sse(&rich()))], good("done")]).await;
    let model = model(&server, "openai", "");
    let mut history = vec![user("go")];
    history.extend(go(&model).await.1.unwrap().entries);
    history.extend([output("c1", "src"), output("c2", "bad arguments")]);
    assert_eq!(ask(&model, prompt(history)).await.1.unwrap().entries, [said("done")]);
    let second = server.requests().remove(1);
    assert_eq!(
        second.body["input"],
        json!([
            {"role": "user", "content": "go"},
            {"type": "reasoning", "encrypted_content": "gAAA=", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I lök."}]},
            {"type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": "{\"cmd\":\"ls\"}"},
            {"type": "function_call", "call_id": "c2", "name": "exec_command", "arguments": "{\"invalid_arguments\":\"{\\\"cmd\\\": broken\"}"},
            {"type": "function_call_output", "call_id": "c1", "output": "src"},
            {"type": "function_call_output", "call_id": "c2", "output": "bad arguments"},
        ])
    );
}

#[tokio::test]
async fn ten_calls_in_one_answer_are_ten_calls_in_order() {
    let ids: Vec<String> = (0..10).map(|number| format!("c{number}")).collect();
    let mut events: Vec<Value> = (0..).zip(&ids).map(|(index, id)| function_call(index, id, "{}")).collect();
    events.push(completed());
    let server = Server::start(vec![vec![Act::Send(sse(&events))]]).await;
    let expected: Vec<Entry> = ids.iter().map(|id| call(id, "{}")).collect();
    assert_eq!(go(&model(&server, "openai", "")).await.1.unwrap().entries, expected);
}

#[tokio::test]
async fn an_end_with_nothing_but_an_id_is_an_end_even_if_the_connection_stays_open() {
    let end =
        json!({"type": "response.completed", "response": {"id": "resp_1", "usage": {"input_tokens": 1, "output_tokens": 2}}});
    let server = Server::start(vec![vec![Act::Send(sse(&[message(0, "hi"), end])), Act::Hold]]).await;
    let (events, answer) = go(&model(&server, "openai", "")).await;
    assert_eq!((answer.unwrap().entries, retries(&events)), (vec![said("hi")], 0));
}

#[tokio::test]
async fn parts_that_come_only_with_the_end_are_taken_from_it() {
    let mut end = completed();
    end["response"]["output"] = json!([message(0, "hi")["item"], function_call(1, "c1", "")["item"]]);
    let server = Server::start(vec![vec![Act::Send(sse(&[end]))]]).await;
    assert_eq!(go(&model(&server, "openai", "")).await.1.unwrap().entries, [said("hi"), call("c1", "{}")]);
}

#[tokio::test]
async fn text_that_comes_only_in_pieces_is_kept() {
    let server =
        Server::start(vec![vec![Act::Send(sse(&[delta("a"), delta("b"), function_call(1, "c1", "{}"), completed()]))]]).await;
    assert_eq!(go(&model(&server, "openai", "")).await.1.unwrap().entries, [said("ab"), call("c1", "{}")]);
}

#[tokio::test]
async fn calls_whose_names_are_taken_get_new_ones() {
    let events = [function_call(0, "c1", "{}"), function_call(1, "c1", "{\"cmd\":\"x\"}"), completed()];
    let server = Server::start(vec![vec![Act::Send(sse(&events))]]).await;
    let history = vec![user("go"), call("c1", "{}"), output("c1", "x")];
    let answer = ask(&model(&server, "openai", ""), prompt(history)).await.1.unwrap();
    assert_eq!(answer.entries, [call("call_1", "{}"), call("call_2", "{\"cmd\":\"x\"}")]);
}
