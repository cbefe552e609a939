//! The providers that exist without configuration.

use super::{ProviderConfig, ProviderError, ProviderTable, WireApi};

/// What is known of a provider beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuiltIn {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) wire: WireApi,
    pub(super) base_url: &'static str,
    pub(super) env_key: Option<&'static str>,
}

/// All of them.
pub(super) const ALL: [BuiltIn; 5] = [
    BuiltIn {
        id: "openai",
        name: "OpenAI",
        wire: WireApi::Responses,
        base_url: "https://api.openai.com/v1",
        env_key: Some("OPENAI_API_KEY"),
    },
    BuiltIn {
        id: "openai-chat",
        name: "OpenAI (Chat Completions)",
        wire: WireApi::Chat,
        base_url: "https://api.openai.com/v1",
        env_key: Some("OPENAI_API_KEY"),
    },
    BuiltIn {
        id: "anthropic",
        name: "Anthropic",
        wire: WireApi::Anthropic,
        base_url: "https://api.anthropic.com/v1",
        env_key: Some("ANTHROPIC_API_KEY"),
    },
    BuiltIn {
        id: "gemini",
        name: "Google Gemini",
        wire: WireApi::Gemini,
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        env_key: Some("GEMINI_API_KEY"),
    },
    BuiltIn { id: "ollama", name: "Ollama", wire: WireApi::Ollama, base_url: "http://localhost:11434", env_key: None },
];

/// The one of that name.
pub(super) fn find(id: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|provider| provider.id == id)
}

impl BuiltIn {
    pub(super) fn config(&self) -> Result<ProviderConfig, ProviderError> {
        ProviderConfig::from_table(self.id, ProviderTable::default())
    }
}
