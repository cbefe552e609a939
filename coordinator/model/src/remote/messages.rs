//! Turns a thread's history into a provider's messages.
//!
//! Dialects differ in what may stand beside what: Responses takes each entry by itself, Chat wants a step's text and calls in one
//! message, Anthropic and Gemini want all outputs of a step in one message too.

use crate::provider::WireApi;
use crate::seal::Sealer;
use capstan_types::history::{Entry, Image};
use genai::chat::{Binary, CacheControl, ChatMessage, ChatRole, ContentPart, CustomPart, MessageContent, ToolCall, ToolResponse};
use serde_json::{Value, json};

/// The messages of a history.
pub(super) fn messages(entries: &[Entry], wire: WireApi, sealer: &Sealer) -> Vec<ChatMessage> {
    let turn_start = entries.iter().rposition(|entry| matches!(entry, Entry::User { .. })).unwrap_or_default();
    let mut builder = Builder { wire, sealer, messages: Vec::new(), signatures: Vec::new(), pictures: Vec::new() };
    for (place, entry) in entries.iter().enumerate() {
        builder.add(entry, place >= turn_start);
    }
    builder.show_pictures();
    let mut messages = builder.messages;
    if wire == WireApi::Anthropic {
        mark_for_cache(&mut messages);
    }
    messages
}

struct Builder<'a> {
    wire: WireApi,
    sealer: &'a Sealer,
    messages: Vec<ChatMessage>,
    /// Gemini: the signatures of the calls that follow.
    signatures: Vec<Option<String>>,
    /// What calls have shown, until all outputs of their step are there: no dialect lets anything stand between those.
    pictures: Vec<ContentPart>,
}

impl Builder<'_> {
    fn add(&mut self, entry: &Entry, in_this_turn: bool) {
        if !matches!(entry, Entry::CallOutput { .. } | Entry::Picture { .. }) {
            self.show_pictures();
        }
        match entry {
            Entry::Developer { text } => self.developer(text),
            Entry::User { text, images } => self.user(text, images),
            Entry::Assistant { text } if text.is_empty() => {}
            Entry::Assistant { text } => self.assistant(vec![ContentPart::Text(text.clone())]),
            Entry::Reasoning { text, signature } => self.reasoning(text, signature.as_deref(), in_this_turn),
            Entry::Call { model_call_id, tool, arguments } => self.call(model_call_id, tool, arguments),
            Entry::CallOutput { model_call_id, output } => self.output(model_call_id, output),
            Entry::Picture { model_call_id, image } => self.picture(model_call_id, image),
            // What a thread shows its model holds none; one that came here all the same says what is left.
            Entry::Compacted { history } => history.iter().for_each(|entry| self.add(entry, in_this_turn)),
        }
    }

    fn developer(&mut self, text: &str) {
        let begun = self.messages.iter().any(|message| message.role != ChatRole::System);
        match self.wire {
            // These have one place for instructions, in front. What came later must keep its place in time.
            WireApi::Anthropic | WireApi::Gemini if begun => {
                self.messages.push(ChatMessage::user(format!("<developer>\n{text}\n</developer>")));
            }
            _ => self.messages.push(ChatMessage::system(text)),
        }
    }

    fn user(&mut self, text: &str, images: &[Image]) {
        let words = (!text.is_empty()).then(|| ContentPart::Text(text.to_owned()));
        let parts: Vec<ContentPart> = words.into_iter().chain(images.iter().map(part)).collect();
        // Several providers refuse an empty message.
        if !parts.is_empty() {
            self.messages.push(ChatMessage::user(MessageContent::from_parts(parts)));
        }
    }

    fn reasoning(&mut self, text: &str, signature: Option<&str>, in_this_turn: bool) {
        let Some(form) = signature.and_then(|sealed| self.sealer.open(sealed)) else { return };
        match self.wire {
            WireApi::Responses => self.assistant(vec![ContentPart::ThoughtSignature(form.to_owned())]),
            WireApi::Chat if in_this_turn => self.assistant(vec![ContentPart::ReasoningContent(text.to_owned())]),
            WireApi::Anthropic => self.assistant(thought(text, form)),
            WireApi::Gemini => self.signatures = serde_json::from_str(form).unwrap_or_default(),
            // Reasoning of earlier turns is refused by some, and read by none.
            WireApi::Chat | WireApi::Ollama => {}
        }
    }

    fn call(&mut self, id: &str, tool: &str, arguments: &str) {
        let signature = if self.signatures.is_empty() { None } else { self.signatures.remove(0) };
        self.assistant(vec![ContentPart::ToolCall(ToolCall {
            call_id: id.to_owned(),
            fn_name: tool.to_owned(),
            fn_arguments: arguments_object(arguments),
            thought_signatures: signature.map(|signature| vec![signature]),
        })]);
    }

    fn output(&mut self, id: &str, output: &str) {
        self.signatures.clear();
        let part = ContentPart::ToolResponse(ToolResponse::new(id, output));
        let joins = matches!(self.wire, WireApi::Anthropic | WireApi::Gemini);
        self.push(ChatRole::Tool, vec![part], joins);
    }

    fn picture(&mut self, id: &str, image: &Image) {
        self.pictures.extend([ContentPart::Text(format!("What the call {id} shows:")), part(image)]);
    }

    /// An output is text in most dialects, so that a picture follows as a message of its own.
    fn show_pictures(&mut self) {
        if !self.pictures.is_empty() {
            let parts = std::mem::take(&mut self.pictures);
            self.messages.push(ChatMessage::user(MessageContent::from_parts(parts)));
        }
    }

    fn assistant(&mut self, parts: Vec<ContentPart>) {
        self.push(ChatRole::Assistant, parts, self.wire != WireApi::Responses);
    }

    fn push(&mut self, role: ChatRole, parts: Vec<ContentPart>, joins: bool) {
        match self.messages.last_mut().filter(|last| joins && last.role == role) {
            Some(last) => parts.into_iter().for_each(|part| last.content.push(part)),
            None => self.messages.push(ChatMessage::new(role, MessageContent::from_parts(parts))),
        }
    }
}

fn part(image: &Image) -> ContentPart {
    ContentPart::Binary(Binary::from_base64(image.media_type.as_str(), image.base64.as_str(), None))
}

fn thought(text: &str, form: &str) -> Vec<ContentPart> {
    if let Some(signature) = form.strip_prefix("signature:") {
        return vec![ContentPart::ThoughtSignature(signature.to_owned()), ContentPart::ReasoningContent(text.to_owned())];
    }
    let block: Option<Value> = form.strip_prefix("block:").and_then(|block| serde_json::from_str(block).ok());
    block.map(|data| ContentPart::Custom(CustomPart { model_iden: None, data })).into_iter().collect()
}

/// Arguments as providers take them back: an object. What the model wrote and was no object goes back as text inside one, because
/// several providers refuse a whole history over one call that they cannot parse.
fn arguments_object(written: &str) -> Value {
    match serde_json::from_str(written) {
        Ok(object @ Value::Object(_)) => object,
        Ok(_) | Err(_) => json!({ "invalid_arguments": written }),
    }
}

/// Marks the end of the prompt, and the end of the prompt before it, as worth keeping: the next step begins with all of this one.
fn mark_for_cache(messages: &mut [ChatMessage]) {
    let ours = messages.iter_mut().rev().filter(|message| matches!(message.role, ChatRole::User | ChatRole::Tool));
    for message in ours.take(2) {
        message.options = Some(CacheControl::Ephemeral.into());
    }
}
