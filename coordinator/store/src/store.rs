//! The one trait behind which every store stands.

use async_trait::async_trait;
use capstan_types::call::{Call, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::ThreadRecord;
use std::fmt::Debug;
use std::time::Duration;

/// Keeps threads. What a method has returned `Ok` for survives the death of the process.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Stores a new thread's row.
    ///
    /// # Errors
    /// The id is taken, or the store does not work.
    async fn create_thread(&self, thread: &ThreadRecord) -> Result<(), StoreError>;

    /// A thread's row, or `None`.
    async fn thread(&self, thread: ThreadId) -> Result<Option<ThreadRecord>, StoreError>;

    /// The newest threads first, by when they were created, at most `limit`.
    async fn threads(&self, limit: u32) -> Result<Vec<ThreadRecord>, StoreError>;

    /// Makes `owner` the thread's owner, if its epoch still is `seen`; the new epoch is `seen + 1`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another owner came first.
    async fn take_over(&self, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, StoreError>;

    /// Appends records, all of them or none, if `fence` still is the thread's epoch. Dropping the future leaves it open whether they
    /// are stored.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the thread has a newer owner; [`StoreError::OutOfOrder`] when an event does not bear the next
    /// number of the thread's log; [`StoreError::CallEnded`] when a call would end twice.
    async fn append(&self, thread: ThreadId, fence: Epoch, records: Vec<Record>) -> Result<(), StoreError>;

    /// The thread's events after `after`, in order, at most `limit`.
    async fn events(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The thread's history, in order.
    async fn entries(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError>;

    /// The calls that were stored and have no end yet, in the order they were asked for.
    async fn open_calls(&self, thread: ThreadId) -> Result<Vec<Call>, StoreError>;

    /// One call with its end, if it has one.
    async fn call(&self, thread: ThreadId, call: CallId) -> Result<Option<(Call, Option<CallEnd>)>, StoreError>;

    /// Finishes what is in progress and closes the store; everything asked of it afterwards fails. Whatever was acknowledged is kept
    /// without it too.
    async fn close(&self);
}

/// One thing to be stored.
#[expect(clippy::large_enum_variant, reason = "the large variant, an event, is the one that nearly every record is")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Something a client is told. Never a live-only event.
    Event(Event),
    /// Something the model is shown.
    Entry {
        /// The turn it came from.
        turn: TurnId,
        /// The entry.
        entry: Entry,
    },
    /// A few words by which people tell the thread from others. Kept if the thread has none yet.
    Preview(String),
    /// A call, before anything is done for it.
    CallAsked(Call),
    /// A call's one end.
    CallEnded(CallEnd),
}

/// Why something was not stored or not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be opened. For the operator.
    #[error("cannot open the store `{path}`: {reason}")]
    Open {
        /// Where it is.
        path: String,
        /// What the system said, and what to do.
        reason: String,
    },
    /// A newer release wrote the store.
    #[error(
        "the store `{path}` was written by a newer release of Capstan (format {found}, this one reads up to {known}); use that release, or another CAPSTAN_HOME"
    )]
    Newer {
        /// Where it is.
        path: String,
        /// Its format.
        found: i64,
        /// The newest format this build reads.
        known: i64,
    },
    /// There is no room. What was stored before stays readable.
    #[error("the disk that holds the store is full; free some space and resume the thread: nothing that was stored is lost")]
    Full,
    /// The thread has another owner.
    #[error("thread {thread} is owned by another coordinator (epoch {newest}, this one has {fence})")]
    Fenced {
        /// The thread.
        thread: ThreadId,
        /// What this coordinator holds.
        fence: Epoch,
        /// What the store holds.
        newest: Epoch,
    },
    /// The thread does not exist.
    #[error("there is no thread {0}")]
    NoThread(ThreadId),
    /// The thread's id is taken.
    #[error("thread {0} exists already")]
    ThreadExists(ThreadId),
    /// An event would have left a hole in the thread's log, or taken the number of another.
    #[error("event {found} cannot be stored: the next number in the log of thread {thread} is {next}")]
    OutOfOrder {
        /// The thread.
        thread: ThreadId,
        /// The number that the event must bear.
        next: EventSeq,
        /// The number that it bore.
        found: EventSeq,
    },
    /// A live-only event was to be stored.
    #[error("event {0} is told to those who listen and not stored")]
    LiveOnly(EventSeq),
    /// A call was to be stored a second time.
    #[error("call {0} has been stored before")]
    CallExists(CallId),
    /// A call was to end that was never stored.
    #[error("there is no call {0} to be ended")]
    NoCall(CallId),
    /// A call would have had two ends.
    #[error("call {0} has ended before")]
    CallEnded(CallId),
    /// No answer came in time: the disk hangs, or more is being stored than it can take. Whether it was stored is not known.
    #[error("the store did not answer within {} s; whether the last records were stored is not known", .0.as_secs())]
    Late(Duration),
    /// Anything else that the database said.
    #[error("the store failed: {0}")]
    Failed(String),
}
