//! Reads Anthropic, Gemini and Ollama through what the provider library made of their answers; the events themselves only testify
//! to errors and to the end.

use super::{AnswerReader, Fault, Heard, Whole, arguments, check_finish, cut};
use crate::failure::body::{Said, error_of};
use crate::provider::WireApi;
use crate::remote::usage::of_library;
use crate::seal::Sealer;
use capstan_types::history::Entry;
use genai::chat::{ContentPart, StreamEnd, ToolCall};
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Library {
    wire: WireApi,
    sealer: Sealer,
    /// Ollama's own word for the end; older servers give no reason beside it.
    done: bool,
}

impl Library {
    pub(super) const fn new(wire: WireApi, sealer: Sealer) -> Self {
        Self { wire, sealer, done: false }
    }

    fn entries(&self, end: StreamEnd, heard: &Heard) -> Vec<Entry> {
        let parts = end.captured_content.map(genai::chat::MessageContent::into_parts).unwrap_or_default();
        match self.wire {
            WireApi::Gemini => self.with_signed_calls(parts, heard),
            _ => self.with_thoughts(parts, heard),
        }
    }

    /// Anthropic: each thought comes as its signature, then its text; a hidden one as a block of its own. Ollama signs nothing.
    fn with_thoughts(&self, parts: Vec<ContentPart>, heard: &Heard) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut signature = None;
        let signs = parts.iter().any(|part| matches!(part, ContentPart::ThoughtSignature(_)));
        if !signs && !heard.reasoning.is_empty() {
            entries.push(Entry::Reasoning { text: heard.reasoning.clone(), signature: None });
        }
        for part in parts {
            match part {
                ContentPart::ThoughtSignature(form) => signature = Some(self.sealer.close(&format!("signature:{form}"))),
                ContentPart::ReasoningContent(text) => entries.push(Entry::Reasoning { text, signature: signature.take() }),
                ContentPart::Custom(block) => {
                    let signature = Some(self.sealer.close(&format!("block:{}", block.data)));
                    entries.push(Entry::Reasoning { text: String::new(), signature });
                }
                other => entries.extend(plain(other, heard)),
            }
        }
        entries
    }

    /// Gemini: calls carry their signatures, which are kept together in front of them.
    fn with_signed_calls(&self, parts: Vec<ContentPart>, heard: &Heard) -> Vec<Entry> {
        let own = |call: &ToolCall| call.thought_signatures.as_ref().and_then(|signatures| signatures.first().cloned());
        let is_call = |part: &ContentPart| matches!(part, ContentPart::ToolCall(_));
        let signatures: Vec<Option<String>> = parts.iter().filter_map(ContentPart::as_tool_call).map(own).collect();
        let signature = match serde_json::to_string(&signatures) {
            Ok(list) if signatures.iter().any(Option::is_some) => Some(self.sealer.close(&list)),
            _ => None,
        };
        let mut entries = Vec::new();
        if signature.is_some() || !heard.reasoning.is_empty() {
            entries.push(Entry::Reasoning { text: heard.reasoning.clone(), signature });
        }
        let (calls, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_call);
        entries.extend(others.into_iter().chain(calls).filter_map(|part| plain(part, heard)));
        entries
    }
}

fn plain(part: ContentPart, heard: &Heard) -> Option<Entry> {
    match part {
        ContentPart::Text(text) if !text.is_empty() => Some(Entry::Assistant { text }),
        ContentPart::ToolCall(call) => {
            let written = heard.arguments.get(&call.call_id).cloned().unwrap_or_else(|| match call.fn_arguments {
                Value::Null => String::new(),
                value => value.to_string(),
            });
            Some(Entry::Call { model_call_id: call.call_id, tool: call.fn_name, arguments: arguments(&written) })
        }
        _ => None,
    }
}

impl AnswerReader for Library {
    fn read(&mut self, event: &Value) -> Result<(), Fault> {
        if let Some(said) = event.get("error").filter(|error| !error.is_null()).and_then(|_| error_of(event)) {
            return Err(Fault::Reported(said));
        }
        if let Some(reason) = event.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
            let message = format!("the prompt was blocked ({reason})");
            return Err(Fault::Reported(Said { code: "blocked".to_owned(), message }));
        }
        self.done |= event.get("done").and_then(Value::as_bool).unwrap_or(false);
        Ok(())
    }

    /// Never by itself: the library knows the end of these.
    fn is_complete(&self) -> bool {
        false
    }

    fn finish(&mut self, mut heard: Heard) -> Result<Whole, Fault> {
        let end = heard.end.take();
        let reason = end.as_ref().and_then(|end| end.captured_stop_reason.as_ref()).map(|reason| reason.raw().to_owned());
        let (Some(end), Some(finish_reason)) = (end, reason.or_else(|| self.done.then(|| "stop".to_owned()))) else {
            return Err(cut("the stream ended before the answer did"));
        };
        check_finish(&finish_reason)?;
        let usage = end.captured_usage.as_ref().map(of_library).unwrap_or_default();
        Ok(Whole { entries: self.entries(end, &heard), usage, finish_reason })
    }
}
