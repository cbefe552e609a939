//! One try at an answer.

use super::classify;
use super::frames::Frames;
use super::quiet::quietly;
use super::reader::{Heard, Whole};
use crate::failure::Failure;
use crate::redact::Redactor;
use futures::Stream;
use genai::chat::{ChatStream, ChatStreamEvent, StreamEnd};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A request that is being answered. Dropping it closes the connection.
pub(super) struct Attempt {
    stream: ChatStream,
    frames: Frames,
    heard: Heard,
    redactor: Redactor,
    longest_silence: Duration,
}

/// What a try gives.
#[derive(Debug)]
pub(super) enum Progress {
    /// More text.
    Text(String),
    /// More reasoning.
    Reasoning(String),
    /// The whole answer.
    Whole(Whole),
}

/// What a look at the stream gives.
enum Glimpse {
    Event(ChatStreamEvent),
    Ended(Option<StreamEnd>),
    Failed(Failure),
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("longest_silence", &self.longest_silence).finish_non_exhaustive()
    }
}

impl Attempt {
    pub(super) fn new(stream: ChatStream, frames: Frames, redactor: Redactor, longest_silence: Duration) -> Self {
        Self { stream, frames, heard: Heard::default(), redactor, longest_silence }
    }

    /// Waits for the next piece, no longer than the longest silence after the event before it.
    pub(super) async fn next(&mut self) -> Result<Progress, Failure> {
        loop {
            let deadline = self.frames.last() + self.longest_silence;
            let glimpse = timeout_at(deadline, poll_fn(|cx| self.poll(cx))).await;
            match glimpse {
                Ok(Glimpse::Event(event)) => {
                    if let Some(progress) = self.hear(event) {
                        return Ok(progress);
                    }
                }
                Ok(Glimpse::Ended(end)) => return self.finish(end),
                Ok(Glimpse::Failed(failure)) => return Err(failure),
                // Events that say nothing to us count as signs of life.
                Err(_) if self.frames.last() + self.longest_silence > Instant::now() => {}
                // A server may keep the connection open after all is said.
                Err(_) => return self.finish(None).map_err(|_| Failure::Silent(self.longest_silence)),
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Glimpse> {
        let polled = quietly(|| Pin::new(&mut self.stream).poll_next(cx));
        // Before the library's own view: it passes over events that it cannot read.
        if let Some(failure) = self.frames.failure() {
            return Poll::Ready(Glimpse::Failed(failure));
        }
        match polled {
            Poll::Ready(Some(Ok(ChatStreamEvent::End(end)))) => Poll::Ready(Glimpse::Ended(Some(end))),
            Poll::Ready(Some(Ok(event))) => Poll::Ready(Glimpse::Event(event)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Glimpse::Failed(classify::failure(&error, &self.redactor))),
            Poll::Ready(None) => Poll::Ready(Glimpse::Ended(None)),

            Poll::Pending if self.frames.is_complete() => Poll::Ready(Glimpse::Ended(None)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn hear(&mut self, event: ChatStreamEvent) -> Option<Progress> {
        match event {
            ChatStreamEvent::Chunk(chunk) if !chunk.content.is_empty() => {
                self.heard.text.push_str(&chunk.content);
                Some(Progress::Text(chunk.content))
            }
            ChatStreamEvent::ReasoningChunk(chunk) if !chunk.content.is_empty() => {
                self.heard.reasoning.push_str(&chunk.content);
                Some(Progress::Reasoning(chunk.content))
            }
            ChatStreamEvent::ToolCallChunk(chunk) => {
                // Text here is what the model wrote so far, valid or not.
                if let serde_json::Value::String(written) = chunk.tool_call.fn_arguments {
                    self.heard.arguments.insert(chunk.tool_call.call_id, written);
                }
                None
            }
            ChatStreamEvent::Start
            | ChatStreamEvent::Chunk(_)
            | ChatStreamEvent::ReasoningChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::End(_)
            | ChatStreamEvent::Heartbeat => None,
        }
    }

    fn finish(&mut self, end: Option<StreamEnd>) -> Result<Progress, Failure> {
        let heard = Heard { end, ..std::mem::take(&mut self.heard) };
        self.frames.finish(heard).map(Progress::Whole)
    }
}
