//! Counts tokens as OpenAI's dialects and the provider library count them.

use capstan_types::history::Usage;
use serde_json::Value;

/// Reads OpenAI's `usage` object, of Responses or of Chat Completions.
pub(super) fn of_openai(usage: &Value) -> Usage {
    let number = |paths: &[&str]| paths.iter().find_map(|path| usage.pointer(path).and_then(Value::as_u64)).unwrap_or_default();
    Usage {
        input_tokens: number(&["/input_tokens", "/prompt_tokens"]),
        cached_input_tokens: number(&["/input_tokens_details/cached_tokens", "/prompt_tokens_details/cached_tokens"]),
        cache_write_input_tokens: number(&[
            "/input_tokens_details/cache_write_tokens",
            "/prompt_tokens_details/cache_write_tokens",
        ]),
        output_tokens: number(&["/output_tokens", "/completion_tokens"]),
        reasoning_output_tokens: number(&[
            "/output_tokens_details/reasoning_tokens",
            "/completion_tokens_details/reasoning_tokens",
        ]),
    }
}

/// Reads the provider library's count. It counts cached tokens among the prompt's, and reasoning among the answer's, for everybody.
pub(super) fn of_library(usage: &genai::chat::Usage) -> Usage {
    let number = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
    let prompt = usage.prompt_tokens_details.clone().unwrap_or_default();
    let reasoning = number(usage.completion_tokens_details.clone().unwrap_or_default().reasoning_tokens);
    Usage {
        input_tokens: number(usage.prompt_tokens),
        cached_input_tokens: number(prompt.cached_tokens),
        cache_write_input_tokens: number(prompt.cache_creation_tokens),
        // An answer of nothing but reasoning has no count of its own with Gemini.
        output_tokens: number(usage.completion_tokens).max(reasoning),
        reasoning_output_tokens: reasoning,
    }
}
