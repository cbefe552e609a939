//! The span of one step, by OpenTelemetry's conventions for generative models. It never holds a word of the conversation.

use crate::client::ModelError;
use crate::provider::{ProviderConfig, WireApi};
use capstan_types::history::Usage;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// Opens the span of a step.
pub(super) fn step(provider: &ProviderConfig, model: &str, effort: Option<&str>) -> Span {
    let span = info_span!(
        "chat",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = provider_name(provider),
        gen_ai.request.model = model,
        gen_ai.request.stream = true,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.reasoning.output_tokens = Empty,
        capstan.request.effort = effort,
        error.r#type = Empty,
        server.address = provider.base_url.host_str(),
        server.port = provider.base_url.port_or_known_default().map(i64::from),
    );
    span
}

/// Notes how a step ended well.
pub(super) fn answered(span: &Span, finish_reason: &str, usage: Usage) {
    span.record("gen_ai.response.finish_reasons", finish_reason);
    span.record("gen_ai.usage.input_tokens", count(usage.input_tokens));
    span.record("gen_ai.usage.output_tokens", count(usage.output_tokens));
    span.record("gen_ai.usage.cache_read.input_tokens", count(usage.cached_input_tokens));
    span.record("gen_ai.usage.reasoning.output_tokens", count(usage.reasoning_output_tokens));
}

/// Unsigned numbers would be exported as texts, which no collector can add up.
fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// Notes how a step failed. A message may quote the prompt, so only kinds are noted.
pub(super) fn failed(span: &Span, kind: &str, error: &ModelError) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
    // No warning: whoever watches the turn is told by its end, and would read it twice.
    tracing::info!(parent: span, error.r#type = kind, outcome = outcome(error), "the model gave no answer");
}

const fn outcome(error: &ModelError) -> &'static str {
    match error {
        ModelError::Credentials(_) => "credentials",
        ModelError::Refused(_) => "refused",
        ModelError::ContextWindow(_) => "context window",
        ModelError::RateLimited(_) => "rate limited",
        ModelError::Unavailable(_) => "unavailable",
        ModelError::Incomplete(_) => "incomplete",
        ModelError::Script(_) => "script",
    }
}

fn provider_name(provider: &ProviderConfig) -> &str {
    match (provider.wire, provider.id.as_str()) {
        (WireApi::Gemini, _) => "gcp.gemini",
        (WireApi::Anthropic, _) => "anthropic",
        (WireApi::Responses | WireApi::Chat, "openai" | "openai-chat") => "openai",
        (WireApi::Responses | WireApi::Chat | WireApi::Ollama, id) => id,
    }
}
