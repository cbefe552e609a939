//! What a store says when it does not do as it was told.

use capstan_types::id::{Attempt, CallId, Epoch, EventSeq, ThreadId};
use std::time::Duration;

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
        "the store `{path}` was written by a newer release of Capstan (format {found}, this one reads up to {known}); use that release, or another store"
    )]
    Newer {
        /// Where it is.
        path: String,
        /// Its format.
        found: i64,
        /// The newest format this build reads.
        known: i64,
    },
    /// The database has been away for longer than it was waited for. Nothing of the last records was stored.
    #[error(
        "the database `{store}` cannot be reached: {reason}; what was stored before is kept, the last records were not stored"
    )]
    Unreachable {
        /// Where it is, without a password.
        store: String,
        /// What the way to it said.
        reason: String,
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
    /// The thread existed once. Its id is not given again: an owner that does not know of the end could pass for the new one's.
    #[error("thread {0} has been deleted; choose another id")]
    Deleted(ThreadId),
    /// A thread has no such turn or event to be forked at.
    #[error("thread {0} has no such turn or event")]
    NoPoint(ThreadId),
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
    /// A try of a call bore a number that is not its next, nor its last.
    #[error("attempt {found} of call {call} cannot be stored: the next is {next}")]
    AttemptOutOfOrder {
        /// The call.
        call: CallId,
        /// The number of the next try.
        next: Attempt,
        /// The number that it bore.
        found: Attempt,
    },
    /// No answer came in time: the disk hangs, or more is being stored than it can take. Whether it was stored is not known.
    #[error("the store did not answer within {} s; whether the last records were stored is not known", .0.as_secs())]
    Late(Duration),
    /// Anything else that the database said.
    #[error("the store failed: {0}")]
    Failed(String),
}
