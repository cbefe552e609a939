//! Events: what a coordinator tells its clients about a thread, numbered so that a client which was away continues where it was.

use crate::budget::Budgets;
use crate::history::Usage;
use crate::id::{EventSeq, ThreadId, TurnId};
use crate::item::{Item, ItemId};
use crate::money::{Bill, Spent};
use crate::saved::note::CheckpointNote;
use crate::session::known::SessionChange;
use crate::thread::ThreadSettings;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// One event of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the thread's log. A [`EventBody::is_live_only`] event repeats the number of the stored event before it.
    pub seq: EventSeq,
    /// When it happened.
    pub at: UnixMillis,
    /// The turn it belongs to.
    pub turn: Option<TurnId>,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// The thread exists, with these settings.
    ThreadStarted {
        /// The thread.
        thread: ThreadId,
        /// What it runs with.
        settings: Box<ThreadSettings>,
    },
    /// A turn began.
    TurnStarted,
    /// What the turn was given beside the prompt and its settings, if anything: whoever goes on with it needs that.
    TurnDemands {
        /// A JSON Schema that the final message must satisfy.
        #[serde(default)]
        output_schema: Option<serde_json::Value>,
        /// Budgets in the place of the thread's own.
        #[serde(default)]
        budgets: Option<Budgets>,
        /// Why it cannot run with what it wanted to change in the settings.
        #[serde(default)]
        refused: Option<String>,
        /// Whether it does nothing but shorten the conversation.
        #[serde(default)]
        compact: bool,
    },
    /// The coordinator that ran the turn ended in its middle, and its next owner goes on with it.
    TurnContinued {
        /// How often that has happened to the turn.
        times: u32,
    },
    /// The turn overrides settings of the thread. They hold for it and for all turns after it.
    SettingsChanged {
        /// What the thread runs with from here on.
        settings: Box<ThreadSettings>,
    },
    /// An item began.
    ItemStarted {
        /// The item as it is now.
        item: Item,
    },
    /// An item changed.
    ItemUpdated {
        /// The item as it is now.
        item: Item,
    },
    /// An item is done.
    ItemCompleted {
        /// The item as it stays.
        item: Item,
    },
    /// Text of a message that is still being written. Live only.
    MessageDelta {
        /// The item.
        item: ItemId,
        /// The new text.
        text: String,
    },
    /// Output of a command that still runs. Live only.
    OutputDelta {
        /// The item.
        item: ItemId,
        /// The new output, with what is not UTF-8 replaced.
        text: String,
    },
    /// What a model knows of a session changed. For whoever takes the thread over; people read the session's item.
    SessionChanged {
        /// What happened.
        change: SessionChange,
    },
    /// Something a person should know while the turn goes on, such as a retry. Live only.
    Notice {
        /// What.
        message: String,
    },
    /// What the turn changed in the workspace, as a unified diff. Live only: the workspace itself keeps the change.
    TurnDiff {
        /// The diff, clamped.
        diff: String,
    },
    /// The workspace was saved.
    CheckpointSaved {
        /// As what.
        checkpoint: CheckpointNote,
    },
    /// A model answered, and that has its price. Every answer is counted once, whatever becomes of its turn.
    ModelAnswered {
        /// What the answer used.
        spent: Spent,
    },
    /// What was used. Told before the end of a turn, however it ends.
    TurnBilled {
        /// By the turn.
        turn: Bill,
        /// By the thread so far, this turn included.
        thread: Bill,
    },
    /// A budget is used up: the turn stops where another can go on. Nothing was cut off for it.
    TurnPaused {
        /// What is used up, and how to go on.
        message: String,
    },
    /// The turn ended as it should.
    TurnCompleted {
        /// Tokens used by the thread so far.
        usage: Usage,
    },
    /// The turn ended in an error.
    TurnFailed {
        /// What went wrong, and what to do.
        message: String,
    },
    /// Somebody interrupted the turn.
    TurnInterrupted,
}

impl EventBody {
    /// Whether the event is told to those who listen now and not stored: what it says is in a later, stored event too.
    #[must_use]
    pub const fn is_live_only(&self) -> bool {
        matches!(self, Self::MessageDelta { .. } | Self::OutputDelta { .. } | Self::Notice { .. } | Self::TurnDiff { .. })
    }

    /// Whether the event ends its turn.
    #[must_use]
    pub const fn ends_turn(&self) -> bool {
        matches!(self, Self::TurnCompleted { .. } | Self::TurnPaused { .. } | Self::TurnFailed { .. } | Self::TurnInterrupted)
    }
}
