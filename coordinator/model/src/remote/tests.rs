//! Whole steps against a server on this host that answers byte for byte as told.

use super::RemoteModel;
use crate::client::{Answer, ModelClient, ModelError, ModelEvent, Prompt, ToolDefinition};
use crate::provider::{ProviderConfig, ProviderTable};
use crate::retry::RetryPolicy;
use capstan_types::history::Entry;
use futures::StreamExt;
use serde_json::{Value, json};
use server::{Act, Server};
use std::time::Duration;

mod bodies;
mod broken;
mod crowded;
mod dialects;
mod mutated;
mod refusals;
mod responses;
mod secrets;
mod server;

/// How long a step may take in a test; one that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

const KEY: &str = "sk-canary-0123456789";

fn environment(_: &str) -> Option<String> {
    Some(KEY.to_owned())
}

/// A model of the built-in provider of that name, moved to the server, with pauses of about a millisecond.
fn model(server: &Server, id: &str, table: &str) -> RemoteModel {
    let mut table: ProviderTable = toml::from_str(table).unwrap();
    table.base_url = Some(server.url());
    let provider = ProviderConfig::from_table(id, table).unwrap();
    let policy = RetryPolicy {
        first_pause: Duration::from_millis(1),
        ..RetryPolicy::new(provider.request_max_retries, provider.stream_max_retries)
    };
    RemoteModel::with_policy(&provider, &environment, policy).unwrap()
}

fn user(text: &str) -> Entry {
    Entry::User { text: text.to_owned(), images: Vec::new() }
}

fn said(text: &str) -> Entry {
    Entry::Assistant { text: text.to_owned() }
}

fn call(id: &str, arguments: &str) -> Entry {
    Entry::Call { model_call_id: id.to_owned(), tool: "exec_command".to_owned(), arguments: arguments.to_owned() }
}

fn output(id: &str, text: &str) -> Entry {
    Entry::CallOutput { model_call_id: id.to_owned(), output: text.to_owned() }
}

fn prompt(entries: Vec<Entry>) -> Prompt {
    Prompt {
        model: "gpt-5".to_owned(),
        instructions: "Be brief.".to_owned(),
        entries,
        tools: vec![ToolDefinition {
            name: "exec_command".to_owned(),
            description: "Runs a command.".to_owned(),
            parameters: json!({"type": "object", "properties": {"cmd": {"type": "string"}, "tty": {"type": "boolean"}}}),
        }],
        effort: None,
        output_schema: None,
        cache_key: "thread-1".to_owned(),
    }
}

/// All that a step gave: what came before its end, and how it ended.
async fn ask(model: &RemoteModel, prompt: Prompt) -> (Vec<ModelEvent>, Result<Answer, ModelError>) {
    let mut events = Vec::new();
    let mut stream = model.step(prompt).await.unwrap();
    while let Some(event) = tokio::time::timeout(PATIENCE, stream.next()).await.expect("the step hangs") {
        match event {
            Ok(ModelEvent::Answered(answer)) => {
                assert_eq!(stream.next().await, None, "something follows the answer");
                return (events, Ok(answer));
            }
            Ok(event) => events.push(event),
            Err(error) => {
                assert_eq!(stream.next().await, None, "something follows the error");
                return (events, Err(error));
            }
        }
    }
    panic!("the stream ended without an answer: {events:?}")
}

async fn go(model: &RemoteModel) -> (Vec<ModelEvent>, Result<Answer, ModelError>) {
    ask(model, prompt(vec![user("go")])).await
}

fn retries(events: &[ModelEvent]) -> usize {
    events.iter().filter(|event| matches!(event, ModelEvent::Retrying { .. })).count()
}

/// A stream of server-sent events.
fn sse(events: &[Value]) -> Vec<u8> {
    let mut text = String::from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
    for event in events {
        let name = event.get("type").and_then(Value::as_str).map(|name| format!("event: {name}\n")).unwrap_or_default();
        text.push_str(&format!("{name}data: {event}\n\n"));
    }
    text.into_bytes()
}

/// An answer with a status, further headers and a body.
fn status(status: u16, headers: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    vec![Act::Send(format!("{head}{body}").into_bytes())]
}

/// The end of a good answer of the Responses API.
fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "model": "gpt-5", "output": [], "usage": {
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 110}}})
}

fn item(index: u64, item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

fn message(index: u64, text: &str) -> Value {
    item(
        index,
        json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": text}]}),
    )
}

fn function_call(index: u64, id: &str, arguments: &str) -> Value {
    item(
        index,
        json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": "exec_command", "arguments": arguments}),
    )
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text})
}

/// A whole good answer that says one thing.
fn good(text: &str) -> Vec<Act> {
    vec![Act::Send(sse(&[
        json!({"type": "response.created", "response": {"id": "resp_1"}}),
        delta(text),
        message(0, text),
        completed(),
    ]))]
}
