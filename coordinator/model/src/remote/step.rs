//! One step: tries until there is an answer, or no sense in another try.

use super::attempt::{Attempt, Progress};
use super::call_ids::make_unique;
use super::{Inner, span};
use crate::client::{Answer, ModelError, ModelEvent, Prompt};
use crate::failure::Failure;
use crate::retry::{Decision, decide};
use futures::Stream;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, Span};

/// Where a step is.
enum State {
    /// About to send the request.
    Ready,
    /// Being answered.
    Reading(Box<Attempt>),
    /// Resting before the next try.
    Resting(Duration),
    /// Over.
    Over,
}

struct Step {
    inner: Arc<Inner>,
    prompt: Prompt,
    state: State,
    failed_tries: u32,
    span: Span,
}

/// The events of a step. Nothing runs on behind it: dropping it ends the request.
pub(super) fn events(inner: Arc<Inner>, prompt: Prompt) -> impl Stream<Item = Result<ModelEvent, ModelError>> + Send {
    let span = span::step(&inner.provider, &prompt.model, prompt.effort.as_deref());
    let step = Step { inner, prompt, state: State::Ready, failed_tries: 0, span };
    futures::stream::unfold(step, |mut step| async move {
        let span = step.span.clone();
        let event = step.next().instrument(span).await?;
        Some((event, step))
    })
}

impl Step {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            match &mut self.state {
                State::Over => return None,
                State::Resting(pause) => {
                    tokio::time::sleep(*pause).await;
                    self.state = State::Ready;
                }
                State::Ready => match self.inner.attempt(&self.prompt).await {
                    Ok(attempt) => self.state = State::Reading(Box::new(attempt)),
                    Err(failure) => return Some(self.failed(&failure)),
                },
                State::Reading(attempt) => match attempt.next().await {
                    Ok(progress) => return Some(Ok(self.progress(progress))),
                    Err(failure) => return Some(self.failed(&failure)),
                },
            }
        }
    }

    fn progress(&mut self, progress: Progress) -> ModelEvent {
        match progress {
            Progress::Text(text) => ModelEvent::TextDelta(text),
            Progress::Reasoning(text) => ModelEvent::ReasoningDelta(text),
            Progress::Whole(mut whole) => {
                self.state = State::Over;
                make_unique(&mut whole.entries, &self.prompt.entries);
                span::answered(&self.span, &whole.finish_reason, whole.usage);
                ModelEvent::Answered(Answer { entries: whole.entries, usage: whole.usage })
            }
        }
    }

    fn failed(&mut self, failure: &Failure) -> Result<ModelEvent, ModelError> {
        self.failed_tries = self.failed_tries.saturating_add(1);
        match decide(failure, self.failed_tries, &self.inner.policy, chance()) {
            Decision::Retry { after, of, reason } => {
                // Setting the state drops the broken connection before the pause, not after it.
                self.state = State::Resting(after);
                tracing::info!(error.r#type = failure.kind(), attempt = self.failed_tries, of, "the model is asked again");
                Ok(ModelEvent::Retrying { attempt: self.failed_tries, of, reason, after })
            }
            Decision::GiveUp(error) => {
                self.state = State::Over;
                span::failed(&self.span, &failure.kind(), &error);
                Err(self.inner.explained(error))
            }
        }
    }
}

/// A number that differs from client to client; nothing secret hangs on it.
fn chance() -> u8 {
    RandomState::new().hash_one(()).to_be_bytes()[0]
}
