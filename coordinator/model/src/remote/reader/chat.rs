//! Reads Chat Completions, as OpenAI writes them and as others imitate them.

use super::{AnswerReader, Fault, Heard, Whole, arguments, check_finish, cut};
use crate::failure::body::error_of;
use crate::remote::usage::of_openai;
use crate::seal::Sealer;
use capstan_types::history::{Entry, Usage};
use serde_json::Value;

/// A call that is being written.
#[derive(Debug, Default)]
struct Writing {
    index: Option<u64>,
    id: String,
    tool: String,
    arguments: String,
}

#[derive(Debug)]
pub(super) struct Chat {
    sealer: Sealer,
    calls: Vec<Writing>,
    usage: Usage,
    finish_reason: Option<String>,
}

impl Chat {
    pub(super) const fn new(sealer: Sealer) -> Self {
        let usage = Usage {
            input_tokens: 0,
            cached_input_tokens: 0,
            cache_write_input_tokens: 0,
            output_tokens: 0,
            reasoning_output_tokens: 0,
        };
        Self { sealer, calls: Vec::new(), usage, finish_reason: None }
    }

    fn write_call(&mut self, delta: &Value) {
        let field = |path| delta.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (index, id) = (delta.get("index").and_then(Value::as_u64), field("/id"));
        let place = self.place_of(index, id);
        let Some(call) = self.calls.get_mut(place) else { return };
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        if call.tool.is_empty() {
            field("/function/name").clone_into(&mut call.tool);
        }
        call.arguments.push_str(field("/function/arguments"));
    }

    /// The call that a piece belongs to. Some servers leave the index out, and some give all calls the same one: an id of its own
    /// begins a new call.
    fn place_of(&mut self, index: Option<u64>, id: &str) -> usize {
        let fits = |call: &Writing| {
            let same_id = id.is_empty() || call.id.is_empty() || call.id == id;
            same_id && (index.is_none() || call.index == index)
        };
        if let Some(place) = self.calls.iter().rposition(fits) {
            return place;
        }
        self.calls.push(Writing { index, ..Writing::default() });
        self.calls.len() - 1
    }
}

impl AnswerReader for Chat {
    fn read(&mut self, event: &Value) -> Result<(), Fault> {
        if let Some(said) = event.get("error").filter(|error| !error.is_null()).and_then(|_| error_of(event)) {
            return Err(Fault::Reported(said));
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            self.usage = of_openai(usage);
        }
        let choice = event.pointer("/choices/0").unwrap_or(&Value::Null);
        let deltas = choice.pointer("/delta/tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for delta in deltas {
            self.write_call(delta);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish_reason = Some(reason.to_owned());
        }
        Ok(())
    }

    /// Never by itself: the count of tokens follows the reason for which the model stopped.
    fn is_complete(&self) -> bool {
        false
    }

    fn finish(&mut self, heard: Heard) -> Result<Whole, Fault> {
        let Some(finish_reason) = self.finish_reason.take() else {
            return Err(cut("the stream ended before a finish_reason"));
        };
        check_finish(&finish_reason)?;
        let mut entries = Vec::new();
        if !heard.reasoning.is_empty() {
            // Nothing is sealed, but the mark says whose words these are: only their own provider wants them back.
            entries.push(Entry::Reasoning { text: heard.reasoning, signature: Some(self.sealer.close("")) });
        }
        if !heard.text.is_empty() {
            entries.push(Entry::Assistant { text: heard.text });
        }
        for call in std::mem::take(&mut self.calls) {
            if call.tool.is_empty() {
                return Err(cut("a call in the answer names no tool"));
            }
            entries.push(Entry::Call { model_call_id: call.id, tool: call.tool, arguments: arguments(&call.arguments) });
        }
        Ok(Whole { entries, usage: self.usage, finish_reason })
    }
}
