//! What is appended to a thread, and how it is read.

use capstan_types::call::{Call, CallAttempt, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{EventSeq, TurnId};
use capstan_types::thread::{ThreadCost, ThreadSettings, TurnInput};

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
    /// What the thread runs with from now on.
    Settings(Box<ThreadSettings>),
    /// What a model call has cost; added to what the thread has spent.
    Cost(ThreadCost),
    /// A call, before anything is done for it.
    CallAsked(Call),
    /// A try of a call, before its node is asked; the same again, with its session, in place of the first.
    CallAttempted(CallAttempt),
    /// A call's one end.
    CallEnded(CallEnd),
    /// A turn that waits, behind the others. One that waits already keeps its place.
    Queued {
        /// The turn.
        turn: TurnId,
        /// What it begins with.
        input: Box<TurnInput>,
    },
    /// A turn waits no more: it begins, or was taken back. Nothing if it does not wait.
    Unqueued(TurnId),
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEntry {
    /// The turn it came from.
    pub turn: TurnId,
    /// The last event before it.
    pub after: EventSeq,
    /// The entry.
    pub entry: Entry,
}
