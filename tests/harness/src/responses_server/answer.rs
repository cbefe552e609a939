//! Builds the events of one answer of the Responses API, in the order and with the fields that a real server sends.

use super::reply::Reply;
use serde_json::{Value, json};

/// Tokens that an answer claims to have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Of the request.
    pub input: u64,
    /// Of the request, those found in a cache.
    pub cached: u64,
    /// Of the answer.
    pub output: u64,
    /// Of the answer, those for reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// What an answer claims that names no usage of its own.
    pub const USUAL: Self = Self { input: 100, cached: 40, output: 10, reasoning: 3 };

    fn to_json(self) -> Value {
        json!({
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        })
    }
}

/// An answer that is being written. It becomes a [`Reply`] by saying how it ends.
#[derive(Debug, Clone)]
pub struct Answer {
    events: Vec<String>,
    output: Vec<Value>,
}

impl Answer {
    /// An answer that has begun: `response.created` and `response.in_progress`.
    #[must_use]
    pub fn new() -> Self {
        let mut answer = Self { events: Vec::new(), output: Vec::new() };
        for kind in ["response.created", "response.in_progress"] {
            answer.event(kind, json!({"response": answer.response("in_progress")}));
        }
        answer
    }

    /// An answer that is one message and nothing else.
    #[must_use]
    pub fn saying(text: &str) -> Reply {
        Self::new().message(text).completed()
    }

    /// An answer that is one call and nothing else.
    #[must_use]
    pub fn calling(call_id: &str, tool: &str, arguments: &Value) -> Reply {
        Self::new().call(call_id, tool, arguments).completed()
    }

    /// Adds a message, its text in deltas of one word each.
    #[must_use]
    pub fn message(mut self, text: &str) -> Self {
        let (index, id) = (self.output.len(), self.item_id("msg"));
        let item = |status: &str, content: Value| json!({"type": "message", "id": id, "role": "assistant", "status": status, "content": content});
        let part = |text: &str| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
        let at = json!({"output_index": index, "content_index": 0, "item_id": id});
        self.event("response.output_item.added", json!({"output_index": index, "item": item("in_progress", json!([]))}));
        self.event("response.content_part.added", with(&at, json!({"part": part("")})));
        for word in text.split_inclusive(' ') {
            self.event("response.output_text.delta", with(&at, json!({"delta": word, "logprobs": []})));
        }
        self.event("response.output_text.done", with(&at, json!({"text": text, "logprobs": []})));
        self.event("response.content_part.done", with(&at, json!({"part": part(text)})));
        self.item_done(item("completed", json!([part(text)])))
    }

    /// Adds reasoning: its summary, and the sealed form that the client must send back unchanged.
    #[must_use]
    pub fn reasoning(mut self, summary: &str, encrypted: &str) -> Self {
        let (index, id) = (self.output.len(), self.item_id("rs"));
        let at = json!({"output_index": index, "summary_index": 0, "item_id": id});
        let part = |text: &str| json!({"type": "summary_text", "text": text});
        let item = |parts: Value| json!({"type": "reasoning", "id": id, "summary": parts, "encrypted_content": encrypted});
        self.event("response.output_item.added", json!({"output_index": index, "item": item(json!([]))}));
        self.event("response.reasoning_summary_part.added", with(&at, json!({"part": part("")})));
        self.event("response.reasoning_summary_text.delta", with(&at, json!({"delta": summary})));
        self.event("response.reasoning_summary_text.done", with(&at, json!({"text": summary})));
        self.event("response.reasoning_summary_part.done", with(&at, json!({"part": part(summary)})));
        self.item_done(item(json!([part(summary)])))
    }

    /// Adds a call of a tool.
    #[must_use]
    pub fn call(self, call_id: &str, tool: &str, arguments: &Value) -> Self {
        self.call_with_text(call_id, tool, &arguments.to_string())
    }

    /// Adds a call whose arguments are this text, JSON or not.
    #[must_use]
    pub fn call_with_text(mut self, call_id: &str, tool: &str, arguments: &str) -> Self {
        let (index, id) = (self.output.len(), self.item_id("fc"));
        let item = |status: &str, arguments: &str| json!({"type": "function_call", "id": id, "call_id": call_id, "name": tool, "arguments": arguments, "status": status});
        let at = json!({"output_index": index, "item_id": id});
        self.event("response.output_item.added", json!({"output_index": index, "item": item("in_progress", "")}));
        for piece in pieces(arguments) {
            self.event("response.function_call_arguments.delta", with(&at, json!({"delta": piece})));
        }
        self.event("response.function_call_arguments.done", with(&at, json!({"arguments": arguments})));
        self.item_done(item("completed", arguments))
    }

    /// Adds an event as the given text, whatever that is.
    #[must_use]
    pub fn raw(mut self, event: &str) -> Self {
        self.events.push(event.to_owned());
        self
    }

    /// The index of the next event, for the ways in which a [`Reply`] can break off.
    #[must_use]
    pub const fn next_event(&self) -> usize {
        self.events.len()
    }

    /// Ends the answer as it should end, with [`Usage::USUAL`].
    #[must_use]
    pub fn completed(self) -> Reply {
        self.completed_using(Usage::USUAL)
    }

    /// Ends the answer as it should end.
    #[must_use]
    pub fn completed_using(self, usage: Usage) -> Reply {
        let end = with(&self.response("completed"), json!({"usage": usage.to_json()}));
        self.ends("response.completed", &end)
    }

    /// Ends the answer in a failure.
    #[must_use]
    pub fn failed(self, code: &str, message: &str) -> Reply {
        let end = with(&self.response("failed"), json!({"error": {"code": code, "message": message}}));
        self.ends("response.failed", &end)
    }

    /// Ends the answer before it is whole.
    #[must_use]
    pub fn incomplete(self, reason: &str) -> Reply {
        let end = with(
            &self.response("incomplete"),
            json!({"incomplete_details": {"reason": reason}, "usage": Usage::USUAL.to_json()}),
        );
        self.ends("response.incomplete", &end)
    }

    /// Ends the body without any event that says how the answer ends.
    #[must_use]
    pub fn unfinished(self) -> Reply {
        Reply::events(self.events)
    }

    fn ends(mut self, kind: &str, response: &Value) -> Reply {
        self.event(kind, json!({"response": response}));
        Reply::events(self.events)
    }

    fn item_done(mut self, item: Value) -> Self {
        self.event("response.output_item.done", json!({"output_index": self.output.len(), "item": item}));
        self.output.push(item);
        self
    }

    fn item_id(&self, kind: &str) -> String {
        format!("{kind}_{}", self.output.len())
    }

    fn response(&self, status: &str) -> Value {
        json!({
            "id": "resp_scripted", "object": "response", "created_at": 1_760_000_000, "status": status, "model": "scripted",
            "output": self.output, "error": null, "incomplete_details": null, "usage": null,
        })
    }

    fn event(&mut self, kind: &str, fields: Value) {
        let data = with(&json!({"type": kind, "sequence_number": self.events.len()}), fields);
        self.events.push(format!("event: {kind}\ndata: {data}\n\n"));
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self::new()
    }
}

/// One object with the fields of both; the second's win.
fn with(object: &Value, fields: Value) -> Value {
    let mut all = object.clone();
    if let (Value::Object(all), Value::Object(fields)) = (&mut all, fields) {
        all.extend(fields);
    }
    all
}

/// The text in pieces of 16 characters, as arguments arrive from a real model.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(16).map(|piece| piece.iter().collect()).collect()
}
