//! A thread's log: the one place where its events are numbered, stored and told.
//!
//! A task takes what is to be recorded from a bounded queue, stores all that has gathered in one transaction, and only then tells
//! subscribers. What nobody waits for may gather for a moment, so that it goes to the disk with what somebody waits for. Invariants: an
//! event is told after it is stored and in the order of its number; the numbers have no holes; what nobody waits for and could not be stored
//! goes before whatever is stored next, so that nothing after it is stored without it; when the end of a turn could not be stored, nothing more
//! is.

mod batch;

use super::live::{Live, Subscription};
use super::metrics;
use super::ownership::Ownership;
use crate::{clock, crash_point};
use batch::Batch;
use capstan_store::store::{Record, Store, StoreError};
use capstan_types::call::{Call, CallAttempt, CallEnd};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::{ThreadCost, ThreadSettings, TurnInput};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Commands that may wait for the log's task. Full: whoever records waits; live-only events are dropped.
const QUEUE: usize = 512;

/// The most commands that are stored in one transaction.
const MOST_TOGETHER: usize = 128;

/// How long what nobody waits for may gather before it is stored and told: longer than a short call takes, so that its beginning and its end
/// reach the disk together, and too short for people to see.
const GATHER: Duration = Duration::from_millis(10);

/// Drafts that nobody waits for and that could not be stored. More: the thread is let go, since its store does not work.
const MOST_UNSTORED: usize = 1024;

/// Something to be recorded.
#[expect(clippy::large_enum_variant, reason = "the large variant, an event, is the one that nearly every record is")]
#[derive(Debug, Clone)]
pub enum Draft {
    /// An event; its number is given when it is stored.
    Event(Option<TurnId>, EventBody),
    /// An entry of the model's history.
    Entry(TurnId, Entry),
    /// A few words by which people tell the thread from others; the first ones stay.
    Preview(String),
    /// A call, before anything is done for it.
    CallAsked(Call),
    /// A try of a call, before its node is asked.
    CallAttempted(CallAttempt),
    /// A call's end.
    CallEnded(CallEnd),
    /// What is to be added to the cost of the thread.
    Cost(ThreadCost),
    /// What the thread runs with from now on.
    Settings(Box<ThreadSettings>),
    /// A turn that waits, behind the others.
    Queued(TurnId, Box<TurnInput>),
    /// A turn that waits no more, if it did.
    Unqueued(TurnId),
}

/// Why something was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread's actor has stopped.
    #[error("the thread has been stopped")]
    Stopped,
}

#[derive(Debug)]
enum Command {
    Record(Vec<Draft>, Option<oneshot::Sender<Result<(), LogError>>>),
    Live(Option<TurnId>, Box<EventBody>),
    Subscribe(oneshot::Sender<Subscription>),
}

/// Records into one thread's log. Clones share the queue.
#[derive(Debug, Clone)]
pub struct ThreadLog {
    queue: mpsc::Sender<Command>,
    ownership: Ownership,
}

/// Drafts that have their place in the log's order.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<(), LogError>>);

impl Submitted {
    /// Waits until they are stored.
    ///
    /// # Errors
    /// They, or something noted before them, could not be stored.
    pub async fn stored(self) -> Result<(), LogError> {
        self.0.await.unwrap_or(Err(LogError::Stopped))
    }
}

/// The log's task, to be run by the thread's actor.
#[derive(Debug)]
pub struct LogTask {
    thread: ThreadId,
    epoch: Epoch,
    store: Arc<dyn Store>,
    queue: mpsc::Receiver<Command>,
    live: Live,
    /// What nobody waits for and could not be stored.
    unstored: Vec<Draft>,
    ownership: Ownership,
}

/// The log of `thread`, whose last stored event is `last`.
#[must_use]
pub fn open_log(thread: ThreadId, epoch: Epoch, last: EventSeq, store: Arc<dyn Store>) -> (ThreadLog, LogTask) {
    let (sender, queue) = mpsc::channel(QUEUE);
    let ownership = Ownership::default();
    let live = Live::new(last, ownership.clone());
    let task = LogTask { thread, epoch, store, queue, live, unstored: Vec::new(), ownership: ownership.clone() };
    (ThreadLog { queue: sender, ownership }, task)
}

impl ThreadLog {
    /// Records `drafts` together and waits until they are stored.
    ///
    /// # Errors
    /// They, or something noted before them, could not be stored.
    pub async fn record(&self, drafts: Vec<Draft>) -> Result<(), LogError> {
        self.submit(drafts).await?.stored().await
    }

    /// Gives `drafts` their place in the log's order, and does not wait until they are stored.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub async fn submit(&self, drafts: Vec<Draft>) -> Result<Submitted, LogError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Command::Record(drafts, Some(reply))).await.map_err(|_| LogError::Stopped)?;
        Ok(Submitted(answer))
    }

    /// Gives `drafts` their place in the log's order at once; `None` when the queue is full.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub fn try_submit(&self, drafts: Vec<Draft>) -> Result<Option<Submitted>, LogError> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Command::Record(drafts, Some(reply))) {
            Ok(()) => Ok(Some(Submitted(answer))),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(None),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(LogError::Stopped),
        }
    }

    /// Whether the thread is still this coordinator's, as far as the log has met it.
    #[must_use]
    pub const fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// Records `drafts` in their order without waiting for the disk. What fails is tried again before whatever is recorded next, which fails with it.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub async fn note(&self, drafts: Vec<Draft>) -> Result<(), LogError> {
        self.queue.send(Command::Record(drafts, None)).await.map_err(|_| LogError::Stopped)
    }

    /// Tells those who listen now. Dropped when the queue is full: what a live-only event says comes again in a stored one.
    pub fn tell(&self, turn: Option<TurnId>, body: EventBody) {
        let _ = self.queue.try_send(Command::Live(turn, Box::new(body)));
    }

    /// Tells those who listen now, even if the queue is full at the moment.
    pub async fn tell_surely(&self, turn: Option<TurnId>, body: EventBody) {
        let _ = self.queue.send(Command::Live(turn, Box::new(body))).await;
    }

    /// Everything that is told from now on, and the number of the last event before it.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub async fn subscribe(&self) -> Result<Subscription, LogError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Command::Subscribe(reply)).await.map_err(|_| LogError::Stopped)?;
        answer.await.map_err(|_| LogError::Stopped)
    }
}

impl LogTask {
    /// Runs until every [`ThreadLog`] is gone.
    pub async fn run(mut self) {
        let mut waiting = Vec::with_capacity(MOST_TOGETHER);
        let mut batch = Batch::default();
        while self.receive(&mut waiting, batch.due()).await {
            for command in waiting.drain(..) {
                match command {
                    Command::Record(drafts, reply) => batch.add(drafts, reply, GATHER),
                    // What was queued before a live event or a subscription is stored and told before it.
                    Command::Live(turn, body) => {
                        self.store(std::mem::take(&mut batch)).await;
                        self.live.tell_unnumbered(clock::now(), turn, *body);
                    }
                    Command::Subscribe(reply) => {
                        self.store(std::mem::take(&mut batch)).await;
                        let _ = reply.send(self.live.subscribe());
                    }
                }
            }
            if !batch.may_gather(MOST_TOGETHER, Instant::now()) {
                self.store(std::mem::take(&mut batch)).await;
            }
        }
        if !self.unstored.is_empty() || !batch.is_empty() {
            self.put(batch).await;
        }
    }

    /// Waits for commands, until `due` at the latest; whether there may be more.
    async fn receive(&mut self, waiting: &mut Vec<Command>, due: Option<Instant>) -> bool {
        let received = self.queue.recv_many(waiting, MOST_TOGETHER);
        match due {
            None => received.await > 0,
            Some(due) => timeout_at(due, received).await.map_or(true, |received| received > 0),
        }
    }

    async fn store(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.put(batch).await;
        }
    }

    async fn put(&mut self, mut batch: Batch) {
        if !self.unstored.is_empty() {
            batch.follow(std::mem::take(&mut self.unstored));
        }
        let (ends_a_turn, noted) = (batch.ends_a_turn(), batch.noted());
        let (drafts, replies) = batch.into_parts();
        let outcome = self.append(drafts).await;
        if let Err(failure) = &outcome {
            // Whoever waits is told, and decides what to do; nobody would do anything about the others.
            self.unstored = noted;
            if ends_a_turn || self.unstored.len() > MOST_UNSTORED {
                self.ownership.break_off(failure);
            }
        }
        for reply in replies {
            let _ = reply.send(outcome.clone().map_err(LogError::from));
        }
    }

    async fn append(&mut self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let (records, events) = number(drafts, self.live.last());
        if records.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.ownership.why() {
            return Err(why.clone());
        }
        crash_point::reached("log.append");
        let (began, counted) = (Instant::now(), metrics::Counted::of(&records));
        match self.store.append(self.thread, self.epoch, records).await {
            Ok(_) => counted.stored(began.elapsed()),
            Err(error) => {
                metrics::not_stored();
                self.ownership.heed(&error);
                return Err(error);
            }
        }
        crash_point::reached("log.stored");
        events.into_iter().for_each(|event| self.live.tell(event));
        crash_point::reached("log.told");
        Ok(())
    }
}

/// Gives the events of `drafts` the numbers after `last`.
fn number(drafts: Vec<Draft>, last: EventSeq) -> (Vec<Record>, Vec<Event>) {
    let at = clock::now();
    let mut seq = last;
    let mut events = Vec::new();
    let records = drafts
        .into_iter()
        .map(|draft| match draft {
            Draft::Event(turn, body) => {
                seq = seq.next();
                let event = Event { seq, at, turn, body };
                events.push(event.clone());
                Record::Event(event)
            }
            Draft::Entry(turn, entry) => Record::Entry { turn, entry },
            Draft::Preview(words) => Record::Preview(words),
            Draft::CallAsked(call) => Record::CallAsked(call),
            Draft::CallAttempted(attempt) => Record::CallAttempted(attempt),
            Draft::CallEnded(end) => Record::CallEnded(end),
            Draft::Cost(cost) => Record::Cost(cost),
            Draft::Settings(settings) => Record::Settings(settings),
            Draft::Queued(turn, input) => Record::Queued { turn, input },
            Draft::Unqueued(turn) => Record::Unqueued(turn),
        })
        .collect();
    (records, events)
}

#[cfg(test)]
mod tests;
