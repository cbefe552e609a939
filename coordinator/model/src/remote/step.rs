//! One step: tries until there is an answer, or no sense in another try.

use super::attempt::{Attempt, Progress};
use super::call_ids::make_unique;
use super::{Inner, span};
use crate::client::{Answer, ModelError, ModelEvent, Prompt};
use crate::failure::Failure;
use crate::limiter::{NoPlace, Permit, Ticket};
use crate::retry::{Decision, decide};
use crate::size;
use futures::Stream;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// Where a step is.
enum State {
    /// About to send the request, when its turn comes.
    Ready,
    /// Being answered. The permit lasts as long as the connection.
    Reading(Box<Attempt>, Permit),
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
    /// The place in the provider's line, once there is one.
    ticket: Option<Ticket>,
    deadline: Instant,
    span: Span,
}

/// The events of a step. Nothing runs on behind it: dropping it ends the request.
pub(super) fn events(inner: Arc<Inner>, prompt: Prompt) -> impl Stream<Item = Result<ModelEvent, ModelError>> + Send {
    let span = span::step(&inner.provider, &prompt.model, prompt.effort.as_deref());
    let deadline = Instant::now() + inner.provider.queue_timeout;
    let step = Step { inner, prompt, state: State::Ready, failed_tries: 0, ticket: None, deadline, span };
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
                State::Ready => {
                    let permit = match self.turn().await {
                        Ok(permit) => permit,
                        Err(error) => return Some(Err(error)),
                    };
                    match self.inner.attempt(&self.prompt).await {
                        Ok(attempt) => self.state = State::Reading(Box::new(attempt), permit),
                        Err(failure) => return Some(self.failed(&failure, Some(permit))),
                    }
                }
                State::Reading(attempt, _) => match attempt.next().await {
                    Ok(progress) => return Some(Ok(self.progress(progress))),
                    Err(failure) => {
                        let permit = self.hang_up();
                        return Some(self.failed(&failure, permit));
                    }
                },
            }
        }
    }

    /// Waits for leave to send the request.
    async fn turn(&mut self) -> Result<Permit, ModelError> {
        let tokens = size::prompt(&self.prompt);
        match self.inner.gate.enter(self.ticket, tokens, self.deadline).await {
            Ok(permit) => {
                self.ticket = Some(permit.ticket);
                Ok(permit)
            }
            Err(no_place) => {
                self.state = State::Over;
                let error = self.crowded(no_place);
                span::failed(&self.span, "no place", &error);
                Err(error)
            }
        }
    }

    fn crowded(&self, no_place: NoPlace) -> ModelError {
        let id = &self.inner.provider.id;
        ModelError::RateLimited(match no_place {
            NoPlace::Full(waiting) => {
                format!("{waiting} steps wait for model provider `{id}` already; try again later, or run fewer threads at once")
            }
            NoPlace::TooLate => format!(
                "its turn at model provider `{id}` did not come within {} s; try again later, run fewer threads at once, or set \
                 queue_timeout_ms under [model_providers.{id}]",
                self.inner.provider.queue_timeout.as_secs()
            ),
        })
    }

    /// Closes the connection, and gives what its permit is.
    fn hang_up(&mut self) -> Option<Permit> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Reading(_, permit) => Some(permit),
            State::Ready | State::Resting(_) | State::Over => None,
        }
    }

    fn progress(&mut self, progress: Progress) -> ModelEvent {
        match progress {
            Progress::Text(text) => ModelEvent::TextDelta(text),
            Progress::Reasoning(text) => ModelEvent::ReasoningDelta(text),
            Progress::Whole(mut whole) => {
                if let Some(mut permit) = self.hang_up() {
                    permit.answered();
                }
                make_unique(&mut whole.entries, &self.prompt.entries);
                span::answered(&self.span, &whole.finish_reason, whole.usage);
                ModelEvent::Answered(Answer { entries: whole.entries, usage: whole.usage })
            }
        }
    }

    fn failed(&mut self, failure: &Failure, permit: Option<Permit>) -> Result<ModelEvent, ModelError> {
        let overload = failure.overload();
        let busy = permit.zip(overload).is_some_and(|(mut permit, (wait, quotas))| permit.refused(wait, quotas));
        // A provider that answers others is only busy, and the pace is slower from now on: that is no failed try. The time in which a
        // turn must come still ends.
        if !(busy && self.failed_tries > 0 && Instant::now() < self.deadline) {
            self.failed_tries = self.failed_tries.saturating_add(1);
        }
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
