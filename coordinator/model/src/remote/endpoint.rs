//! Where requests go and with which headers: everything that is secret about a request is here and nowhere else.

use crate::credentials::{Lookup, Secret, key};
use crate::provider::{ProviderConfig, WireApi};
use crate::redact::Redactor;
use genai::Headers;
use genai::resolver::AuthData;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// A provider that cannot be asked as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no key.
    #[error(
        "no key for model provider `{provider}`: set the environment variable {variable}, or put {{\"{variable}\": \"...\"}} into \
         auth.json in the CAPSTAN_HOME directory (`capstan demo` works without a key)"
    )]
    MissingKey {
        /// The provider.
        provider: String,
        /// The variable that should hold the key.
        variable: String,
    },
    /// A header that cannot be sent.
    #[error(
        "model provider `{provider}` cannot send the header `{header}`: its name or value holds characters that headers cannot"
    )]
    Header {
        /// The provider.
        provider: String,
        /// The header.
        header: String,
    },
    /// No TLS.
    #[error("cannot set up TLS for model provider `{provider}`: {reason}; install the host's CA certificates (ca-certificates)")]
    Tls {
        /// The provider.
        provider: String,
        /// Why.
        reason: String,
    },
}

/// The address and headers of one provider.
#[derive(Debug)]
pub(super) struct Endpoint {
    wire: WireApi,
    base: Url,
    query: BTreeMap<String, Secret>,
    /// By their names in small letters.
    headers: BTreeMap<String, Secret>,
    key: Option<Secret>,
}

impl Endpoint {
    pub(super) fn new(provider: &ProviderConfig, credentials: &dyn Lookup) -> Result<Self, SetupError> {
        let key = match &provider.env_key {
            Some(variable) => Some(
                key(variable, credentials)
                    .ok_or_else(|| SetupError::MissingKey { provider: provider.id.clone(), variable: variable.clone() })?,
            ),
            None => None,
        };
        let mut headers = BTreeMap::new();
        let mut set = |name: &str, value: Secret| {
            let refused = || SetupError::Header { provider: provider.id.clone(), header: name.to_owned() };
            let parsed: HeaderName = name.parse().map_err(|_| refused())?;
            HeaderValue::from_str(value.reveal()).map_err(|_| refused())?;
            headers.insert(parsed.to_string(), value);
            Ok(())
        };
        for (name, value) in standard_headers(provider.wire, key.as_ref()) {
            set(name, value)?;
        }
        for (name, value) in &provider.http_headers {
            set(name, value.clone())?;
        }
        for (name, variable) in &provider.env_http_headers {
            if let Some(value) = crate::credentials::key(variable, credentials) {
                set(name, value)?;
            }
        }
        Ok(Self { wire: provider.wire, base: provider.base_url.clone(), query: provider.query_params.clone(), headers, key })
    }

    /// The whole address and all headers of a request for a model. They replace what genai would make up: it appends to an address
    /// as text, and would send a configured `authorization` beside its own.
    pub(super) fn target(&self, model: &str) -> AuthData {
        let headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
        AuthData::RequestOverride { url: self.url(model).to_string(), headers: Headers::from(headers) }
    }

    fn url(&self, model: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            match self.wire {
                WireApi::Responses => path.push("responses"),
                WireApi::Chat => path.extend(["chat", "completions"]),
                WireApi::Anthropic => path.push("messages"),
                WireApi::Gemini => {
                    let bare = model.strip_prefix("models/").unwrap_or(model);
                    path.push("models").push(&format!("{bare}:streamGenerateContent"))
                }
                WireApi::Ollama => path.extend(["api", "chat"]),
            };
        }
        if self.wire == WireApi::Gemini {
            url.query_pairs_mut().append_pair("alt", "sse");
        }
        for (name, value) in &self.query {
            url.query_pairs_mut().append_pair(name, value.reveal());
        }
        url
    }

    /// Knows all that is secret here.
    pub(super) fn redactor(&self) -> Redactor {
        let headers = self.headers.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone());
        let query = self.query.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone());
        Redactor::of(headers.chain(query).chain(self.key.clone()))
    }
}

fn standard_headers(wire: WireApi, key: Option<&Secret>) -> Vec<(&'static str, Secret)> {
    let mut headers = Vec::new();
    match wire {
        WireApi::Ollama => {}
        WireApi::Anthropic => headers.push(("anthropic-version", Secret::new("2023-06-01"))),
        WireApi::Responses | WireApi::Chat | WireApi::Gemini => headers.push(("accept", Secret::new("text/event-stream"))),
    }
    let Some(key) = key else { return headers };
    headers.push(match wire {
        WireApi::Anthropic => ("x-api-key", key.clone()),
        WireApi::Gemini => ("x-goog-api-key", key.clone()),
        WireApi::Responses | WireApi::Chat | WireApi::Ollama => {
            ("authorization", Secret::new(format!("Bearer {}", key.reveal())))
        }
    });
    headers
}

/// Whether a header or parameter of that name holds a secret. Others hold versions and names, which may be shown.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !matches!(name.as_str(), "accept" | "anthropic-version")
        && ["auth", "key", "token", "secret", "cookie", "pass", "sig"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests;
