//! The one trait behind which every store stands.

pub use crate::error::StoreError;
pub use crate::record::{PlacedEntry, Record};

use async_trait::async_trait;
use capstan_types::call::{Call, CallAttempt, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use capstan_types::thread::{ThreadRecord, TurnInput, Upto};
use std::fmt::Debug;

/// Keeps threads. What a method has returned `Ok` for survives the death of the process. A method that changes a thread takes the epoch
/// by which it may, and checks it in the transaction of the change: [`StoreError::Fenced`] when the thread has a newer owner.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Stores a new thread's row.
    ///
    /// # Errors
    /// The id is taken ([`StoreError::ThreadExists`]) or was ([`StoreError::Deleted`]), or the store does not work.
    async fn create_thread(&self, thread: &ThreadRecord) -> Result<(), StoreError>;

    /// A thread's row, or `None`.
    async fn thread(&self, thread: ThreadId) -> Result<Option<ThreadRecord>, StoreError>;

    /// A page of the threads that `filter` lets through, newest first.
    async fn threads(&self, filter: &ThreadFilter) -> Result<ThreadPage, StoreError>;

    /// Makes `owner` the thread's owner, if its epoch still is `seen`; the new epoch is `seen + 1`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another owner came first.
    async fn take_over(&self, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, StoreError>;

    /// Gives the thread a name, or takes it away. That does not make it newer.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::NoThread`].
    async fn rename(&self, thread: ThreadId, fence: Epoch, name: Option<&str>) -> Result<(), StoreError>;

    /// Puts the thread away, or takes it back. One that is put away already keeps the time of the first.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::NoThread`].
    async fn archive(&self, thread: ThreadId, fence: Epoch, archived: bool) -> Result<(), StoreError>;

    /// Removes the thread and all that belongs to it. Its forks stay. Its id stays taken.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::NoThread`].
    async fn delete(&self, thread: ThreadId, fence: Epoch) -> Result<(), StoreError>;

    /// Stores a new thread that begins with what `source` holds up to a point: events, history, and the calls that had ended by then;
    /// a call that was open is not copied. `thread` is the new row; its parent is filled in, its preview is the source's if it has none,
    /// and the event that tells of its beginning is made its own. Returns the row as it is stored. Nobody's epoch is asked for: the
    /// source is only read.
    ///
    /// # Errors
    /// [`StoreError::NoThread`] and [`StoreError::NoPoint`] for the source, and what [`Store::create_thread`] says of the new one.
    async fn fork(&self, source: ThreadId, upto: Upto, thread: &ThreadRecord) -> Result<ThreadRecord, StoreError>;

    /// Appends records, all of them or none, if `fence` still is the thread's epoch. Dropping the future leaves it open whether they
    /// are stored.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the thread has a newer owner; [`StoreError::OutOfOrder`] when an event does not bear the next
    /// number of the thread's log; [`StoreError::CallEnded`] when a call would end twice, or be tried after its end;
    /// [`StoreError::AttemptOutOfOrder`] when a try does not bear the next number or the last.
    async fn append(&self, thread: ThreadId, fence: Epoch, records: Vec<Record>) -> Result<(), StoreError>;

    /// The thread's events after `after`, in order, at most `limit`.
    async fn events(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// What the thread's events after `after` come to, in order, at most `limit`: all but the items of turns before the last that has any. These
    /// are nearly all of a long thread's log, and nothing of how it stands.
    async fn outline(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The end of the thread's history that a model is shown: from the last place at which it was shortened, that entry included.
    async fn shown(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError>;

    /// The thread's history, in order.
    async fn entries(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError>;

    /// The same with their places among the thread's events.
    async fn placed_entries(&self, thread: ThreadId) -> Result<Vec<PlacedEntry>, StoreError>;

    /// The calls that were stored and have no end yet, in the order they were asked for.
    async fn open_calls(&self, thread: ThreadId) -> Result<Vec<Call>, StoreError>;

    /// One call with its end, if it has one.
    async fn call(&self, thread: ThreadId, call: CallId) -> Result<Option<(Call, Option<CallEnd>)>, StoreError>;

    /// The calls that a turn asked for, in that order, each with its end, if it has one.
    async fn calls_of(&self, thread: ThreadId, turn: TurnId) -> Result<Vec<(Call, Option<CallEnd>)>, StoreError>;

    /// The threads that may have a turn to be run: those whose last event is not the end of one, and those in which one waits. Their owners come
    /// with them.
    async fn unsettled(&self) -> Result<Vec<(ThreadId, String)>, StoreError>;

    /// The turns that wait, in order, each with what it begins with.
    async fn queued(&self, thread: ThreadId) -> Result<Vec<(TurnId, TurnInput)>, StoreError>;

    /// The tries of a call, in order.
    async fn attempts(&self, thread: ThreadId, call: CallId) -> Result<Vec<CallAttempt>, StoreError>;

    /// Finishes what is in progress and closes the store; everything asked of it afterwards fails. Whatever was acknowledged is kept
    /// without it too.
    async fn close(&self);
}
