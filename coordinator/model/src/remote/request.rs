//! Makes a request of the provider library from a prompt.

use super::messages::messages;
use crate::catalog;
use crate::client::Prompt;
use crate::failure::Failure;
use crate::provider::{ProviderConfig, WireApi};
use crate::seal::Sealer;
use genai::ModelIden;
use genai::adapter::AdapterKind;
use genai::chat::{ChatOptions, ChatRequest, JsonSpec, ReasoningEffort, Tool, ToolChoice};
use serde_json::{Map, Value, json};

/// The library's adapter for a dialect, with the model's name as the adapter may see it.
pub(super) fn model(wire: WireApi, prompt: &Prompt) -> ModelIden {
    let adapter = match wire {
        WireApi::Responses => AdapterKind::OpenAIResp,
        WireApi::Chat => AdapterKind::OpenAI,
        WireApi::Anthropic => AdapterKind::Anthropic,
        WireApi::Gemini => AdapterKind::Gemini,
        WireApi::Ollama => AdapterKind::Ollama,
    };
    // The library takes `-max` or `-low` off a name and for an effort, though `gpt-5.1-codex-max` is a model. A dash at the end keeps
    // it from that; the true name goes into the body or the address.
    let taken_for_effort = prompt.effort.is_none() && ReasoningEffort::from_model_name(&prompt.model).0.is_some();
    let shield = if taken_for_effort && wire != WireApi::Ollama { "-" } else { "" };
    ModelIden::new(adapter, format!("{}{shield}", prompt.model))
}

/// The conversation and the tools.
pub(super) fn request(prompt: &Prompt, wire: WireApi, sealer: &Sealer) -> ChatRequest {
    let mut request = ChatRequest::from_messages(messages(&prompt.entries, wire, sealer));
    if !prompt.instructions.is_empty() {
        request.system = Some(prompt.instructions.clone());
    }
    if !prompt.tools.is_empty() {
        let tool = |definition: &crate::client::ToolDefinition| {
            let tool = Tool::new(definition.name.as_str())
                .with_description(definition.description.as_str())
                .with_schema(definition.parameters.clone());
            // Left unsaid, Responses rewrites the schema so that every optional argument becomes required.
            if wire == WireApi::Responses { tool.with_strict(false) } else { tool }
        };
        request.tools = Some(prompt.tools.iter().map(tool).collect());
    }
    request
}

/// Everything else about a request.
pub(super) fn options(prompt: &Prompt, provider: &ProviderConfig) -> Result<ChatOptions, Failure> {
    let wire = provider.wire;
    let mut options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_content(true)
        .with_capture_tool_calls(true)
        .with_capture_reasoning_content(catalog::lookup(&prompt.model).reasons);
    if let Some(effort) = prompt.effort.as_deref() {
        options.reasoning_effort = effort_of(effort, wire)?;
    }
    if let Some(schema) = &prompt.output_schema {
        if wire == WireApi::Ollama {
            return Err(Failure::Unsendable(
                "an output schema cannot be sent in Ollama's own dialect; use wire_api = \"chat\" with base_url = \
                 \"http://localhost:11434/v1\""
                    .to_owned(),
            ));
        }
        options = options.with_response_format(JsonSpec::new("output", schema.clone()));
    }
    if wire == WireApi::Responses && !prompt.tools.is_empty() {
        options = options.with_tool_choice(ToolChoice::Auto);
    }
    // Imitations of these dialects may refuse what they do not know.
    let is_openai = provider.base_url.host_str().is_some_and(|host| host.ends_with("openai.com"));
    if !prompt.cache_key.is_empty() && (wire == WireApi::Responses || (wire == WireApi::Chat && is_openai)) {
        options = options.with_prompt_cache_key(prompt.cache_key.as_str());
    }
    Ok(options.with_extra_body(extra_body(prompt, wire)))
}

/// What the library cannot say, or says wrongly. It replaces fields of the body.
fn extra_body(prompt: &Prompt, wire: WireApi) -> Value {
    let mut body = Map::new();
    if matches!(wire, WireApi::Gemini | WireApi::Ollama) {
        return Value::Object(body);
    }
    body.insert("model".to_owned(), json!(prompt.model));
    if wire == WireApi::Responses {
        if catalog::lookup(&prompt.model).reasons {
            let effort = prompt.effort.as_deref().map(|effort| ("effort".to_owned(), json!(effort)));
            let summary = ("summary".to_owned(), json!("auto"));
            body.insert("reasoning".to_owned(), Value::Object(effort.into_iter().chain([summary]).collect()));
        }
        if !prompt.tools.is_empty() {
            body.insert("parallel_tool_calls".to_owned(), json!(true));
        }
    }
    if let (WireApi::Chat, Some(effort)) = (wire, prompt.effort.as_deref()) {
        body.insert("reasoning_effort".to_owned(), json!(effort));
    }
    Value::Object(body)
}

/// OpenAI's dialects get the word as it is, through the body; the others are asked in the library's terms.
fn effort_of(effort: &str, wire: WireApi) -> Result<Option<ReasoningEffort>, Failure> {
    let known = ReasoningEffort::from_keyword(effort);
    if known.is_some() || matches!(wire, WireApi::Responses | WireApi::Chat) {
        return Ok(known);
    }
    Err(Failure::Unsendable(format!(
        "the reasoning effort `{effort}` is not known to this provider; use none, minimal, low, medium, high, xhigh or max"
    )))
}
