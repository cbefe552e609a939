//! A model behind a provider's HTTP interface.
//!
//! The provider library (genai) makes requests and decodes streams; this crate decides whether an answer is whole, why it failed,
//! whether to ask again, and what of it goes back with the next request.

use crate::client::{ModelClient, ModelError, ModelEvent, Prompt};
use crate::credentials::Lookup;
use crate::failure::Failure;
use crate::limiter::{Bounds, Gate};
use crate::provider::ProviderConfig;
use crate::redact::Redactor;
use crate::retry::RetryPolicy;
use crate::seal::Sealer;
use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use genai::chat::ChatOptions;
use genai::{Client, ServiceTarget};
use std::fmt;
use std::sync::Arc;

mod attempt;
mod call_ids;
mod classify;
mod endpoint;
mod frames;
mod http;
mod messages;
mod quiet;
mod reader;
mod request;
mod span;
mod step;
mod usage;

use attempt::Attempt;
use endpoint::Endpoint;
pub use endpoint::SetupError;
use frames::Frames;

/// How many requests are under way at first: what nearly every account allows.
const FIRST_REQUESTS: u32 = 8;

/// The most steps that wait for one provider. Full: a step fails at once, and says so.
const MOST_WAITING: usize = 20_000;

/// A model behind a provider's HTTP interface. Cheap to clone; clones share connections, and the pace at which the provider is asked.
#[derive(Debug, Clone)]
pub struct RemoteModel {
    inner: Arc<Inner>,
}

struct Inner {
    provider: ProviderConfig,
    endpoint: Endpoint,
    redactor: Redactor,
    sealer: Sealer,
    policy: RetryPolicy,
    /// Everybody who asks this provider comes through here.
    gate: Arc<Gate>,
    client: Client,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteModel").field("provider", &self.provider).field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl RemoteModel {
    /// A client for a provider. It connects when it is first asked.
    ///
    /// # Errors
    /// There is no key, a header cannot be sent, or there is no TLS.
    pub fn new(provider: &ProviderConfig, credentials: &dyn Lookup) -> Result<Self, SetupError> {
        let policy = RetryPolicy::new(provider.request_max_retries, provider.stream_max_retries);
        Self::with_policy(provider, credentials, policy)
    }

    /// The same with another policy for retries.
    ///
    /// # Errors
    /// As [`RemoteModel::new`].
    pub fn with_policy(provider: &ProviderConfig, credentials: &dyn Lookup, policy: RetryPolicy) -> Result<Self, SetupError> {
        let endpoint = Endpoint::new(provider, credentials)?;
        let http = http::client(provider)?;
        let tls = |error: genai::Error| SetupError::Tls { provider: provider.id.clone(), reason: error.to_string() };
        let bounds = Bounds { first: FIRST_REQUESTS, most: provider.max_concurrent_requests };
        let inner = Inner {
            provider: provider.clone(),
            redactor: endpoint.redactor(),
            sealer: Sealer::new(provider.wire, &provider.id),
            endpoint,
            policy,
            gate: Gate::new(bounds, MOST_WAITING),
            client: Client::builder().with_reqwest(http).build().map_err(tls)?,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

#[async_trait]
impl ModelClient for RemoteModel {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        Ok(step::events(Arc::clone(&self.inner), prompt).boxed())
    }
}

impl Inner {
    /// Prepares one request. Nothing is sent before the attempt is polled.
    async fn attempt(&self, prompt: &Prompt) -> Result<Attempt, Failure> {
        let wire = self.provider.wire;
        let frames = Frames::new(reader::reader(wire, self.sealer.clone()), self.redactor.clone());
        let options: ChatOptions = request::options(prompt, &self.provider)?.with_raw_frame_sink_arc(Arc::new(frames.clone()));
        let target = ServiceTarget {
            endpoint: genai::resolver::Endpoint::from_owned(self.provider.base_url.as_str()),
            auth: self.endpoint.target(&prompt.model),
            model: request::model(wire, prompt),
        };
        let request = request::request(prompt, wire, &self.sealer);
        let response = self.client.exec_chat_stream(target, request, Some(&options)).await;
        let stream = response.map_err(|error| classify::failure(&error, &self.redactor))?.stream;
        Ok(Attempt::new(stream, frames, self.redactor.clone(), self.provider.stream_idle_timeout))
    }

    /// Adds to an error what only the configuration knows.
    fn explained(&self, error: ModelError) -> ModelError {
        let id = &self.provider.id;
        match (error, &self.provider.env_key) {
            (ModelError::Credentials(said), Some(variable)) => ModelError::Credentials(format!(
                "model provider `{id}` refused the key from {variable} ({said}); set {variable} to a valid key"
            )),
            (ModelError::Credentials(said), None) => ModelError::Credentials(format!(
                "model provider `{id}` wants a key ({said}); set `env_key` under [model_providers.{id}] to the variable that holds it"
            )),
            (other, _) => other,
        }
    }
}

#[cfg(test)]
mod tests;
