//! The one trait behind which every model stands.

use async_trait::async_trait;
use capstan_types::history::{Entry, Usage};
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::time::Duration;

/// A model that can be asked for the next step of a turn.
#[async_trait]
pub trait ModelClient: Debug + Send + Sync {
    /// Asks for one step. The stream ends with [`ModelEvent::Answered`] or an error, and has a deadline on every wait.
    ///
    /// Retries happen inside, and are told by [`ModelEvent::Retrying`]; deltas before such an event are void.
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError>;
}

/// Everything a step depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model's name.
    pub model: String,
    /// The base instructions.
    pub instructions: String,
    /// The thread's history.
    pub entries: Vec<Entry>,
    /// The tools on offer.
    pub tools: Vec<ToolDefinition>,
    /// How hard to think.
    pub effort: Option<String>,
    /// A JSON Schema for the final message.
    pub output_schema: Option<serde_json::Value>,
    /// Names the conversation to the provider's prompt cache.
    pub cache_key: String,
}

/// A tool as a provider is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// A JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// What happens while a model answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelEvent {
    /// More text of the message.
    TextDelta(String),
    /// More text of the reasoning summary.
    ReasoningDelta(String),
    /// The request failed and is sent again. What came before is void.
    Retrying {
        /// Which retry this is, from 1.
        attempt: u32,
        /// The most there will be.
        of: u32,
        /// What failed.
        reason: String,
        /// How long it waits first.
        after: Duration,
    },
    /// The whole answer; the last event.
    Answered(Answer),
}

/// One complete answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Reasoning, messages and calls, in order. Only [`Entry::Reasoning`], [`Entry::Assistant`] and [`Entry::Call`] occur.
    pub entries: Vec<Entry>,
    /// Tokens used by this step.
    pub usage: Usage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No credentials, or refused ones.
    #[error("{0}")]
    Credentials(String),
    /// The provider refused the request; sending it again would not help.
    #[error("the provider refused the request: {0}")]
    Refused(String),
    /// The conversation no longer fits the model's window.
    #[error("the conversation is longer than the model's context window: {0}")]
    ContextWindow(String),
    /// The provider's rate limit was hit, and it gave no time at which to come back, or too many in a row.
    #[error("the provider's rate limit was reached: {0}")]
    RateLimited(String),
    /// The provider failed or could not be reached, again and again.
    #[error("the provider did not answer: {0}")]
    Unavailable(String),
    /// The answer was cut short by the provider for a reason that a retry would meet again.
    #[error("the provider ended the answer early: {0}")]
    Incomplete(String),
    /// The script of a scripted model does not fit what happened.
    #[error("{0}")]
    Script(String),
}

impl ModelError {
    /// Whether another model, or another provider, may answer where this one does not.
    #[must_use]
    pub const fn another_may_answer(&self) -> bool {
        match self {
            Self::Credentials(_) | Self::Refused(_) | Self::RateLimited(_) | Self::Unavailable(_) => true,
            // These are about the conversation, and not about who is asked.
            Self::ContextWindow(_) | Self::Incomplete(_) | Self::Script(_) => false,
        }
    }
}
