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
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tonic::Status;

/// A stream of events, as tonic serves it.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<wire::Event, Status>> + Send>>;

/// Events that are read from the store at a time.
const PAGE: u32 = 256;
/// After so long without an event the store is asked whether somebody else has gone on with the thread: a coordinator that does nothing with a
/// thread does not notice by itself that it has lost it.
const QUIET: Duration = Duration::from_secs(10);

struct Follower {
    store: Arc<dyn Store>,
    thread: ThreadId,
    after: EventSeq,
    page: VecDeque<Event>,
    live: Option<Subscription>,
    quiet: Duration,
}

/// The thread's events after `after`: from the store up to where `live` begins, and then live.
pub fn follow(store: Arc<dyn Store>, thread: ThreadId, after: EventSeq, live: Subscription) -> EventStream {
    stream_of(Follower { store, thread, after, page: VecDeque::new(), live: Some(live), quiet: QUIET })
}

/// The stored events after `after`; the stream ends with the last.
pub fn replay(store: Arc<dyn Store>, thread: ThreadId, after: EventSeq) -> EventStream {
    stream_of(Follower { store, thread, after, page: VecDeque::new(), live: None, quiet: QUIET })
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
        let event = self.next_live().await?;
        self.after = event.iter().map(|event| event.seq).fold(self.after, Ord::max);
        Ok(event)
    }

    fn behind(&self) -> bool {
        self.live.as_ref().is_none_or(|live| self.after < live.after)
    }

    /// Waits for what happens.
    async fn next_live(&mut self) -> Result<Option<Event>, Status> {
        let (thread, after) = (self.thread, self.after);
        let Some(live) = self.live.as_mut() else { return Ok(None) };
        let mut suspicious = false;
        loop {
            match timeout(self.quiet, live.events.recv()).await {
                // A client may name a number ahead of the log; it then gets what comes after that number.
                Ok(Ok(event)) if event.seq > after || is_unnumbered(&event, after) => {
                    return Ok(Some(Event::clone(&event)));
                }
                Ok(Ok(_)) => suspicious = false,
                Ok(Err(RecvError::Closed)) => return Err(stopped(thread, live)),
                Ok(Err(RecvError::Lagged(missed))) => {
                    let advice = "subscribe again after the last number you have";
                    return Err(Status::data_loss(format!("this reader fell {missed} events behind; {advice}")));
                }
                // What was in the store that long ago would have been told, had this coordinator stored it.
                Err(_) if suspicious => return Err(taken_over(thread)),
                Err(_) => suspicious = has_more(&*self.store, thread, after).await,
            }
        }
    }
}

/// Whether there are later events. A store that is away says nothing of them.
async fn has_more(store: &dyn Store, thread: ThreadId, after: EventSeq) -> bool {
    store.events(thread, after, 1).await.is_ok_and(|events| !events.is_empty())
}

/// Whether it is told to those who listen now and bears the number of what was stored last; so does the end of a turn that could not be stored.
fn is_unnumbered(event: &Event, after: EventSeq) -> bool {
    event.body.is_live_only() || (event.seq == after && event.body.ends_turn())
}

fn stopped(thread: ThreadId, live: &Subscription) -> Status {
    match live.ownership.why() {
        Some(StoreError::Fenced { .. }) => taken_over(thread),
        Some(error) => Status::aborted(error.to_string()),
        None => Status::unavailable("the thread stops with its coordinator"),
    }
}

fn taken_over(thread: ThreadId) -> Status {
    Status::aborted(format!(
        "thread {thread} was taken over by another coordinator, which goes on with it; this one has let go of it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::fixture::settings;
    use crate::thread::live::Live;
    use crate::thread::ownership::Ownership;
    use capstan_store::open::{StoreLocation, open};
    use capstan_store::store::Record;
    use capstan_types::event::EventBody;
    use capstan_types::id::Epoch;
    use capstan_types::thread::ThreadRecord;
    use capstan_types::time::UnixMillis;
    use tonic::Code;

    async fn stored(store: &Arc<dyn Store>, thread: ThreadId, seq: u64) {
        let body = EventBody::ThreadStarted { thread, settings: Box::new(settings()) };
        let event = Event { seq: EventSeq(seq), at: UnixMillis(0), turn: None, body };
        store.append(thread, Epoch(1), vec![Record::Event(event)]).await.unwrap();
    }

    #[tokio::test]
    async fn who_listens_to_a_quiet_thread_hears_that_another_coordinator_goes_on_with_it() {
        let store = open(&StoreLocation::Ephemeral).await.unwrap();
        let thread = ThreadId::generate();
        store.create_thread(&ThreadRecord::begun(thread, "one".into(), settings(), UnixMillis(0))).await.unwrap();
        stored(&store, thread, 1).await;
        let mut live = Live::new(EventSeq(1), Ownership::default());
        let (after, page, quiet) = (EventSeq(0), VecDeque::new(), Duration::from_millis(20));
        let mut events =
            stream_of(Follower { store: Arc::clone(&store), thread, after, page, live: Some(live.subscribe()), quiet });
        assert_eq!(events.next().await.unwrap().unwrap().seq, 1);
        let silence = timeout(10 * quiet, events.next()).await;
        assert!(silence.is_err(), "nothing has happened: {silence:?}");
        stored(&store, thread, 2).await;
        let said = events.next().await.unwrap().unwrap_err();
        assert_eq!(said.code(), Code::Aborted, "{said}");
    }
}
