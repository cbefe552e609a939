//! Providers: who answers, in which dialect, with which key, and how patiently to ask.
//!
//! The keys of `[model_providers.ID]` are those of Codex, so that a `config.toml` carries over.

use crate::credentials::Secret;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

mod built_in;

/// The dialect that a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum WireApi {
    /// OpenAI's Responses API.
    Responses,
    /// OpenAI's Chat Completions API, which most servers can imitate.
    Chat,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// Ollama's own API.
    Ollama,
}

impl WireApi {
    const ALL: [Self; 5] = [Self::Responses, Self::Chat, Self::Anthropic, Self::Gemini, Self::Ollama];

    /// Its name in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }
}

impl fmt::Display for WireApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for WireApi {
    type Error = ProviderError;

    fn try_from(text: String) -> Result<Self, ProviderError> {
        Self::ALL.into_iter().find(|wire| wire.as_str() == text).ok_or(ProviderError::WireApi(text))
    }
}

/// A provider that cannot be used as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A `wire_api` that is none.
    #[error("`{0}` is not a wire_api; use \"responses\", \"chat\", \"anthropic\", \"gemini\" or \"ollama\"")]
    WireApi(String),
    /// A provider of one's own without an address.
    #[error("model provider `{0}` has no base_url; set `base_url` under [model_providers.{0}]")]
    NoBaseUrl(String),
    /// A `base_url` that is no address.
    #[error("the base_url of model provider `{id}` cannot be used: {reason}")]
    BaseUrl {
        /// The provider.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A `[model_providers.ID]` table as it is written. What is left out keeps the value of the built-in provider of the same name, if
/// there is one. Keys that it does not know are passed over; [`ProviderTable::KEYS`] lets a caller warn of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ProviderTable {
    /// The name shown to people.
    pub name: Option<String>,
    /// The address up to and without the endpoint's name, such as `https://api.openai.com/v1`.
    pub base_url: Option<String>,
    /// The variable that holds the key.
    pub env_key: Option<String>,
    /// The dialect; `responses` if left out.
    pub wire_api: Option<WireApi>,
    /// Headers sent with each request.
    pub http_headers: BTreeMap<String, Secret>,
    /// Headers whose value is read from a variable; left out where the variable is not set.
    pub env_http_headers: BTreeMap<String, String>,
    /// Parameters added to the address.
    pub query_params: BTreeMap<String, Secret>,
    /// How often a request that got no answer is sent again.
    pub request_max_retries: Option<u32>,
    /// How often a request whose answer broke off is sent again.
    pub stream_max_retries: Option<u32>,
    /// The longest silence in an answer, in milliseconds.
    pub stream_idle_timeout_ms: Option<u64>,
    /// The most requests that are under way at the same time, of all threads together.
    pub max_concurrent_requests: Option<u32>,
    /// How long a step may wait for its turn to be sent, in milliseconds.
    pub queue_timeout_ms: Option<u64>,
}

impl ProviderTable {
    /// Every key that is understood, and those of Codex that are accepted without effect.
    pub const KEYS: [&str; 15] = [
        "name",
        "base_url",
        "env_key",
        "wire_api",
        "http_headers",
        "env_http_headers",
        "query_params",
        "request_max_retries",
        "stream_max_retries",
        "stream_idle_timeout_ms",
        "max_concurrent_requests",
        "queue_timeout_ms",
        "auth",
        "requires_openai_auth",
        "supports_websockets",
    ];
}

/// A provider, complete and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Its name in the configuration.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The dialect it speaks.
    pub wire: WireApi,
    /// Its address, without user or password.
    pub base_url: Url,
    /// The variable that holds its key; `None` if it wants none.
    pub env_key: Option<String>,
    /// Headers sent with each request.
    pub http_headers: BTreeMap<String, Secret>,
    /// Headers whose value is read from a variable.
    pub env_http_headers: BTreeMap<String, String>,
    /// Parameters added to the address.
    pub query_params: BTreeMap<String, Secret>,
    /// How often a request that got no answer is sent again, at most [`ProviderConfig::MOST_RETRIES`].
    pub request_max_retries: u32,
    /// How often a request whose answer broke off is sent again, at most [`ProviderConfig::MOST_RETRIES`].
    pub stream_max_retries: u32,
    /// The longest silence before and in an answer.
    pub stream_idle_timeout: Duration,
    /// The most requests that are under way at the same time, of all threads together: at least 1.
    pub max_concurrent_requests: u32,
    /// How long a step may wait for its turn to be sent.
    pub queue_timeout: Duration,
}

impl ProviderConfig {
    /// The most retries that can be configured.
    pub const MOST_RETRIES: u32 = 100;

    /// The providers that exist without configuration.
    #[must_use]
    pub fn built_ins() -> Vec<Self> {
        built_in::ALL.iter().filter_map(|provider| provider.config().ok()).collect()
    }

    /// The provider of that name that exists without configuration.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Self> {
        built_in::find(id).and_then(|provider| provider.config().ok())
    }

    /// A provider from its table, over the built-in one of that name if there is one.
    ///
    /// # Errors
    /// An address that is missing or cannot be used.
    pub fn from_table(id: &str, table: ProviderTable) -> Result<Self, ProviderError> {
        let known = built_in::find(id);
        let base_url = match (&table.base_url, known) {
            (Some(given), _) => checked(id, given)?,
            (None, Some(known)) => checked(id, known.base_url)?,
            (None, None) => return Err(ProviderError::NoBaseUrl(id.to_owned())),
        };
        let or = |given: Option<u32>, default| given.unwrap_or(default).min(Self::MOST_RETRIES);
        Ok(Self {
            id: id.to_owned(),
            name: table.name.unwrap_or_else(|| known.map_or(id, |known| known.name).to_owned()),
            wire: table.wire_api.unwrap_or_else(|| known.map_or(WireApi::Responses, |known| known.wire)),
            base_url,
            env_key: table.env_key.or_else(|| known.and_then(|known| known.env_key).map(str::to_owned)),
            http_headers: table.http_headers,
            env_http_headers: table.env_http_headers,
            query_params: table.query_params,
            request_max_retries: or(table.request_max_retries, 4),
            stream_max_retries: or(table.stream_max_retries, 5),
            // Zero would end every answer before it begins.
            stream_idle_timeout: Duration::from_millis(table.stream_idle_timeout_ms.unwrap_or(300_000).max(1)),
            max_concurrent_requests: table.max_concurrent_requests.unwrap_or(512).max(1),
            // An hour: a thousand steps of a minute each behind sixteen places take as long.
            queue_timeout: Duration::from_millis(table.queue_timeout_ms.unwrap_or(3_600_000).max(1)),
        })
    }

    /// The same provider at another address, as `openai_base_url` asks for.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn at(mut self, base_url: &str) -> Result<Self, ProviderError> {
        self.base_url = checked(&self.id, base_url)?;
        Ok(self)
    }
}

fn checked(id: &str, base_url: &str) -> Result<Url, ProviderError> {
    let refuse = |reason: String| ProviderError::BaseUrl { id: id.to_owned(), reason };
    let url = Url::parse(base_url).map_err(|error| refuse(format!("{error}; write it like https://host/v1")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refuse("it must start with http:// or https:// and name a host".to_owned()));
    }
    // An address is shown in errors and logs, so nothing in it may be secret.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it holds a user or password; send those with http_headers or env_http_headers".to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
