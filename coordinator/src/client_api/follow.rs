//! One client's stream of a thread's events: first those in the store, then those that happen.

use crate::thread::live::Subscription;
use capstan_proto::wire::client as wire;
use capstan_store::store::{Store, StoreError};
use capstan_types::event::Event;
use capstan_types::id::{EventSeq, ThreadId};
use futures::Stream;
use futures::stream::{self, StreamExt as _};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;

/// A stream of events, as tonic serves it.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<wire::Event, Status>> + Send>>;

/// Events that are read from the store at a time.
const PAGE: u32 = 256;

struct Follower {
    store: Arc<dyn Store>,
    thread: ThreadId,
    after: EventSeq,
    page: VecDeque<Event>,
    live: Option<Subscription>,
}

/// The thread's events after `after`: from the store up to where `live` begins, and then live.
pub fn follow(store: Arc<dyn Store>, thread: ThreadId, after: EventSeq, live: Subscription) -> EventStream {
    stream_of(Follower { store, thread, after, page: VecDeque::new(), live: Some(live) })
}

/// The stored events after `after`; the stream ends with the last.
pub fn replay(store: Arc<dyn Store>, thread: ThreadId, after: EventSeq) -> EventStream {
    stream_of(Follower { store, thread, after, page: VecDeque::new(), live: None })
}

fn stream_of(follower: Follower) -> EventStream {
    let events =
        stream::try_unfold(follower, |mut follower| async move { Ok(follower.next().await?.map(|event| (event, follower))) });
    events.map(|event| event.map(wire::Event::from)).boxed()
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Event>, Status> {
        if self.page.is_empty() && self.behind() {
            let page = self.store.events(self.thread, self.after, PAGE).await;
            self.page = page.map_err(|error| Status::unavailable(error.to_string()))?.into();
        }
        if let Some(event) = self.page.pop_front() {
            self.after = event.seq;
            return Ok(Some(event));
        }
        self.next_live().await
    }

    fn behind(&self) -> bool {
        self.live.as_ref().is_none_or(|live| self.after < live.after)
    }

    /// Waits for what happens.
    async fn next_live(&mut self) -> Result<Option<Event>, Status> {
        let Some(live) = self.live.as_mut() else { return Ok(None) };
        loop {
            match live.events.recv().await {
                // A client may name a number ahead of the log; it then gets what comes after that number.
                Ok(event) if event.seq > self.after || is_unnumbered(&event, self.after) => {
                    return Ok(Some(Event::clone(&event)));
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return Err(stopped(live)),
                Err(RecvError::Lagged(missed)) => {
                    let advice = "subscribe again after the last number you have";
                    return Err(Status::data_loss(format!("this reader fell {missed} events behind; {advice}")));
                }
            }
        }
    }
}

/// Whether it is told to those who listen now and bears the number of what was stored last; so does the end of a turn that could not be stored.
fn is_unnumbered(event: &Event, after: EventSeq) -> bool {
    event.body.is_live_only() || (event.seq == after && event.body.ends_turn())
}

fn stopped(live: &Subscription) -> Status {
    match live.ownership.why() {
        Some(StoreError::Fenced { thread, .. }) => Status::aborted(format!(
            "thread {thread} was taken over by another coordinator, which goes on with it; this one has let go of it"
        )),
        Some(error) => Status::aborted(error.to_string()),
        None => Status::unavailable("the thread stops with its coordinator"),
    }
}
