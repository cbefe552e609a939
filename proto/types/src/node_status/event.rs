//! What happened to nodes.

use crate::id::NodeId;
use crate::orders::ActKind;
use crate::time::UnixMillis;
use std::borrow::Cow;
use std::fmt;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEvent {
    /// Its number in the coordinator's life, from 1.
    pub seq: u64,
    /// When.
    pub at: UnixMillis,
    /// What.
    pub kind: EventKind,
    /// To which node; `None` where it is about none in particular.
    pub node: Option<NodeId>,
    /// Who did it, where somebody did.
    pub by: Option<String>,
    /// In a sentence.
    pub text: String,
}

/// What a reader of events is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Something happened.
    Event(ClusterEvent),
    /// So many events were forgotten before they could be told.
    Dropped(u64),
}

/// What happened: one word. A later release may have more of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventKind(Cow<'static, str>);

impl EventKind {
    /// A life of a node was registered.
    pub const JOINED: Self = Self(Cow::Borrowed("joined"));
    /// It is over.
    pub const LEFT: Self = Self(Cow::Borrowed("left"));
    /// Nothing could be placed for a thread.
    pub const NOT_PLACED: Self = Self(Cow::Borrowed("not-placed"));
    /// A condition began to hold, or ended.
    pub const CONDITION: Self = Self(Cow::Borrowed("condition"));
    /// The registry stopped to answer, or answers again.
    pub const REGISTRY: Self = Self(Cow::Borrowed("registry"));

    /// What an operator did.
    #[must_use]
    pub const fn of_act(kind: ActKind) -> Self {
        Self(Cow::Borrowed(match kind {
            ActKind::Labelled => "labelled",
            ActKind::Unlabelled => "unlabelled",
            ActKind::Tainted => "tainted",
            ActKind::Untainted => "untainted",
            ActKind::Cordoned => "cordoned",
            ActKind::Uncordoned => "uncordoned",
            ActKind::Draining => "draining",
            ActKind::Drained => "drained",
            ActKind::Other => "ordered",
        }))
    }

    /// A kind by its word.
    #[must_use]
    pub fn named(word: String) -> Self {
        Self(Cow::Owned(word))
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
