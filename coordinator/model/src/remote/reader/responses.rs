//! Reads the Responses API, where `response.output_item.done` holds each part of the answer whole.

use super::{AnswerReader, Fault, Heard, Whole, arguments, cut};
use crate::failure::Failure;
use crate::failure::body::{Said, error_of, shorten};
use crate::remote::usage::of_openai;
use crate::seal::Sealer;
use capstan_types::history::Entry;
use serde_json::Value;

/// What tells that two events speak of the same part: the same event may be delivered twice.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    At(u64),
    Named(String),
    Unnamed(usize),
}

#[derive(Debug)]
pub(super) struct Responses {
    sealer: Sealer,
    parts: Vec<(Part, Value)>,
    completed: Option<Value>,
}

impl Responses {
    pub(super) const fn new(sealer: Sealer) -> Self {
        Self { sealer, parts: Vec::new(), completed: None }
    }

    fn keep(&mut self, event: &Value) {
        let Some(item) = event.get("item") else { return };
        let name = ["id", "call_id"].iter().find_map(|field| text(item, field).filter(|name| !name.is_empty()));
        let part = match (event.get("output_index").and_then(Value::as_u64), name) {
            (Some(index), _) => Part::At(index),
            (None, Some(name)) => Part::Named(name.to_owned()),
            (None, None) => Part::Unnamed(self.parts.len()),
        };
        match self.parts.iter_mut().find(|(known, _)| *known == part) {
            Some((_, kept)) => *kept = item.clone(),
            None => self.parts.push((part, item.clone())),
        }
    }

    fn entry(&self, item: &Value) -> Option<Entry> {
        let field = |name| text(item, name).unwrap_or_default();
        match field("type") {
            "message" => Some(Entry::Assistant { text: joined(item.get("content"), "") }).filter(is_filled),
            "reasoning" => {
                let summary = joined(item.get("summary"), "\n\n");
                let text = if summary.is_empty() { joined(item.get("content"), "\n\n") } else { summary };
                let sealed = Some(field("encrypted_content")).filter(|sealed| !sealed.is_empty());
                let signature = sealed.map(|sealed| self.sealer.close(sealed));
                Some(Entry::Reasoning { text, signature }).filter(is_filled)
            }
            kind @ ("function_call" | "custom_tool_call") => {
                let written = if kind == "function_call" { arguments(field("arguments")) } else { field("input").to_owned() };
                Some(Entry::Call {
                    model_call_id: field("call_id").to_owned(),
                    tool: field("name").to_owned(),
                    arguments: written,
                })
            }
            _ => None,
        }
    }

    fn entries(&mut self, response: &Value, heard: &Heard) -> Vec<Entry> {
        let mut items: Vec<Value> = std::mem::take(&mut self.parts).into_iter().map(|(_, item)| item).collect();
        if items.is_empty() {
            items = response.get("output").and_then(Value::as_array).cloned().unwrap_or_default();
        }
        let mut entries: Vec<Entry> = items.iter().filter_map(|item| self.entry(item)).collect();
        // A server that sends its text in pieces only.
        if !heard.text.is_empty() && !entries.iter().any(|entry| matches!(entry, Entry::Assistant { .. })) {
            let place = entries.iter().position(|entry| matches!(entry, Entry::Call { .. })).unwrap_or(entries.len());
            entries.insert(place, Entry::Assistant { text: heard.text.clone() });
        }
        entries
    }
}

impl AnswerReader for Responses {
    fn read(&mut self, event: &Value) -> Result<(), Fault> {
        let response = event.get("response").unwrap_or(&Value::Null);
        match text(event, "type").unwrap_or_default() {
            "response.output_item.done" => self.keep(event),
            "response.completed" | "response.done" => self.completed = Some(response.clone()),
            "response.failed" => return Err(Fault::Reported(error_of(response).unwrap_or_else(|| unexplained(response)))),
            "response.incomplete" => return Err(incomplete(response)),
            "error" => return Err(Fault::Reported(error_of(event).unwrap_or_else(|| unexplained(event)))),
            // An error in the place of an event, as proxies send it.
            "" => return error_of(event).map_or(Ok(()), |said| Err(Fault::Reported(said))),
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.completed.is_some()
    }

    fn finish(&mut self, heard: Heard) -> Result<Whole, Fault> {
        let Some(response) = self.completed.take() else {
            return Err(cut("the stream ended before response.completed"));
        };
        let entries = self.entries(&response, &heard);
        let nameless = |entry: &Entry| matches!(entry, Entry::Call { tool, .. } if tool.is_empty());
        if entries.iter().any(nameless) {
            return Err(cut("a call in the answer names no tool"));
        }
        let usage = response.get("usage").map(of_openai).unwrap_or_default();
        Ok(Whole { entries, usage, finish_reason: text(&response, "status").unwrap_or("completed").to_owned() })
    }
}

fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str)
}

/// The texts of a list of parts; a refusal is text too.
fn joined(parts: Option<&Value>, between: &str) -> String {
    let parts = parts.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = parts.iter().filter_map(|part| text(part, "text").or_else(|| text(part, "refusal"))).collect();
    texts.join(between)
}

const fn is_filled(entry: &Entry) -> bool {
    match entry {
        Entry::Assistant { text } => !text.is_empty(),
        Entry::Reasoning { text, signature } => !text.is_empty() || signature.is_some(),
        _ => true,
    }
}

fn incomplete(response: &Value) -> Fault {
    let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str).unwrap_or("no reason given");
    Fault::Failure(Failure::Incomplete(match reason {
        "max_output_tokens" => "the model reached its limit of output tokens (max_output_tokens)".to_owned(),
        reason => shorten(reason),
    }))
}

fn unexplained(object: &Value) -> Said {
    Said {
        code: text(object, "code").unwrap_or_default().to_owned(),
        message: "it reported a failure without a reason".to_owned(),
    }
}
