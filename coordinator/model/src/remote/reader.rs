//! Reads an answer from its events.
//!
//! The provider library turns events into text as they come, which is good enough to show. Whether an answer is whole, what exactly
//! it holds and why it failed is read here from the events themselves: the library passes over events that it cannot parse, ends a
//! broken stream like a finished one, and drops the codes of errors. Invariant: a reader gives an answer only when the provider said
//! that it is complete.

use crate::failure::Failure;
use crate::failure::body::Said;
use crate::provider::WireApi;
use crate::seal::Sealer;
use capstan_types::history::{Entry, Usage};
use genai::chat::StreamEnd;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Debug;

mod chat;
mod library;
mod responses;

/// What was heard of an answer through the library.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The message so far.
    pub(super) text: String,
    /// The reasoning so far.
    pub(super) reasoning: String,
    /// The arguments of calls as the model wrote them, by the call's id.
    pub(super) arguments: HashMap<String, String>,
    /// What the library made of the whole.
    pub(super) end: Option<StreamEnd>,
}

/// A whole answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Whole {
    /// Reasoning, messages and calls, in order.
    pub(super) entries: Vec<Entry>,
    /// Tokens used.
    pub(super) usage: Usage,
    /// Why the model stopped, in the provider's words.
    pub(super) finish_reason: String,
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The provider reported an error.
    Reported(Said),
    /// Something else, in words of our own.
    Failure(Failure),
}

/// Reads one answer.
pub(super) trait AnswerReader: Debug + Send {
    /// Takes in one event.
    ///
    /// # Errors
    /// The event reports that the answer failed.
    fn read(&mut self, event: &Value) -> Result<(), Fault>;

    /// Whether the provider said that the answer is complete, and nothing of use follows.
    fn is_complete(&self) -> bool;

    /// The whole answer, once nothing follows.
    ///
    /// # Errors
    /// The answer is not complete, or was ended early on purpose.
    fn finish(&mut self, heard: Heard) -> Result<Whole, Fault>;
}

/// The reader for a dialect.
pub(super) fn reader(wire: WireApi, sealer: Sealer) -> Box<dyn AnswerReader> {
    match wire {
        WireApi::Responses => Box::new(responses::Responses::new(sealer)),
        WireApi::Chat => Box::new(chat::Chat::new(sealer)),
        WireApi::Anthropic | WireApi::Gemini | WireApi::Ollama => Box::new(library::Library::new(wire, sealer)),
    }
}

fn cut(reason: &str) -> Fault {
    Fault::Failure(Failure::Cut(reason.to_owned()))
}

/// Whether a model that stopped for this reason had finished.
fn check_finish(reason: &str) -> Result<(), Fault> {
    use genai::chat::StopReason;
    let incomplete = |why: &str| Err(Fault::Failure(Failure::Incomplete(format!("{why} ({reason})"))));
    match StopReason::from(reason.to_owned()) {
        _ if reason == "model_context_window_exceeded" => {
            Err(Fault::Reported(Said { code: reason.to_owned(), message: "the answer reached its end".to_owned() }))
        }
        StopReason::MaxTokens(_) => incomplete("the model reached its limit of output tokens"),
        StopReason::ContentFilter(_) => incomplete("the provider's content filter ended it"),
        // Gemini's words for a call that the model garbled; asking again usually mends it.
        StopReason::Other(_) if matches!(reason, "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL") => {
            Err(cut(&format!("the model wrote a call that the provider could not read ({reason})")))
        }
        StopReason::Completed(_) | StopReason::ToolCall(_) | StopReason::StopSequence(_) | StopReason::Other(_) => Ok(()),
    }
}

/// A call's arguments. A tool without parameters is often called with nothing at all.
fn arguments(written: &str) -> String {
    if written.trim().is_empty() { "{}".to_owned() } else { written.to_owned() }
}

#[cfg(test)]
mod tests;
