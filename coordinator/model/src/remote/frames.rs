//! Listens to the events of a stream before the provider library interprets them.

use super::classify::reported;
use super::reader::{AnswerReader, Fault, Heard, Whole};
use crate::failure::Failure;
use crate::failure::body::shorten;
use crate::redact::Redactor;
use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The most that one answer may hold, in bytes of its events. Beyond it the answer is given up: nobody means to write that much.
const LARGEST_ANSWER: usize = 64 << 20;

/// What is said of a body that is no stream of events.
const NO_EVENTS: &str = "the answer held no events; check that base_url leads to the provider's API";

/// What the events of one stream say, shared between the stream and its reader. It is only ever locked for a moment, by one task.
#[derive(Debug, Clone)]
pub(super) struct Frames(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    reader: Box<dyn AnswerReader>,
    redactor: Redactor,
    failure: Option<Failure>,
    last: Instant,
    bytes: usize,
}

impl Frames {
    pub(super) fn new(reader: Box<dyn AnswerReader>, redactor: Redactor) -> Self {
        Self(Arc::new(Mutex::new(State { reader, redactor, failure: None, last: Instant::now(), bytes: 0 })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the answer has failed, if it has.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.state().failure.clone()
    }

    /// Whether the answer is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.state().reader.is_complete()
    }

    /// When the last event came, or the request was made.
    pub(super) fn last(&self) -> Instant {
        self.state().last
    }

    /// The whole answer, now that nothing follows.
    pub(super) fn finish(&self, heard: Heard) -> Result<Whole, Failure> {
        let mut state = self.state();
        if let Some(failure) = state.failure.clone() {
            return Err(failure);
        }
        // A page, or a gateway's error under status 200: nothing that a reader of events could say more about.
        if state.bytes == 0 {
            return Err(Failure::Cut(NO_EVENTS.to_owned()));
        }
        let whole = state.reader.finish(heard);
        whole.map_err(|fault| state.failure_of(fault))
    }
}

impl State {
    fn take_in(&mut self, data: &str) -> Result<(), Fault> {
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > LARGEST_ANSWER {
            return Err(Fault::Failure(Failure::Incomplete(format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20))));
        }
        let event: serde_json::Value = serde_json::from_str(data).map_err(|error| {
            Fault::Failure(Failure::Cut(format!("the stream broke inside an event, or sent one that is not JSON ({error})")))
        })?;
        self.reader.read(&event)
    }

    fn failure_of(&self, fault: Fault) -> Failure {
        match fault {
            Fault::Reported(said) => reported(said, &self.redactor),
            Fault::Failure(Failure::Cut(reason)) => Failure::Cut(shorten(&self.redactor.clean(&reason))),
            Fault::Failure(failure) => failure,
        }
    }
}

impl ChatFrameSink for Frames {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        let data = frame.data.trim();
        // A comment keeps a connection alive, not an answer.
        if data.is_empty() {
            return;
        }
        let mut state = self.state();
        state.last = Instant::now();
        if data == "[DONE]" || state.failure.is_some() || state.reader.is_complete() {
            return;
        }
        if let Err(fault) = state.take_in(data) {
            state.failure = Some(state.failure_of(fault));
        }
    }
}
