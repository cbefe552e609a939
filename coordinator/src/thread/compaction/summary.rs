//! Asks a model to sum a conversation up.

use super::words;
use crate::thread::answerers::Answerers;
use capstan_model::{Answer, ModelError, ModelEvent, Prompt};
use capstan_types::history::{Entry, Usage};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

/// A summary, and what it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its text; `None` if the model gave none.
    pub text: Option<String>,
    /// Tokens.
    pub usage: Usage,
}

/// Asks for a summary of `transcript`, without tools. `None`: interrupted.
///
/// # Errors
/// The model does not answer.
pub async fn ask(
    answerers: &Answerers,
    transcript: String,
    cache_key: String,
    interrupt: &CancellationToken,
) -> Result<Option<Summary>, ModelError> {
    let prompt = Prompt {
        model: String::new(),
        instructions: words::INSTRUCTIONS.to_owned(),
        entries: vec![Entry::User { text: transcript, images: Vec::new() }],
        tools: Vec::new(),
        effort: None,
        output_schema: None,
        cache_key,
    };
    tokio::select! {
        biased;
        () = interrupt.cancelled() => Ok(None),
        answer = answer(answerers, &prompt) => answer.map(|answer| Some(summary(answer))),
    }
}

async fn answer(answerers: &Answerers, prompt: &Prompt) -> Result<Answer, ModelError> {
    let (client, prompt) = answerers.ask(prompt);
    let mut stream = client.step(prompt).await?;
    while let Some(event) = stream.next().await {
        // Nobody reads it as it comes: it is for the model.
        if let ModelEvent::Answered(answer) = event? {
            return Ok(answer);
        }
    }
    Err(ModelError::Unavailable("its stream ended without an answer".to_owned()))
}

fn summary(answer: Answer) -> Summary {
    let texts = answer.entries.iter().filter_map(|entry| match entry {
        Entry::Assistant { text } => Some(text.trim()),
        _ => None,
    });
    let text = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n");
    Summary { text: (!text.is_empty()).then_some(text), usage: answer.usage }
}
