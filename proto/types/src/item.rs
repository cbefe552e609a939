//! Items: what a person sees of a turn, and what the store keeps of it.

use crate::id::{CallId, NodeId, SessionId};
use crate::launch::{Denial, Enforced, SessionEnd};
use crate::path::AbsPath;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of an item in its thread, from 0 without holes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u64);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item_{}", self.0)
    }
}

/// One entry of a turn's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number.
    pub id: ItemId,
    /// What it is.
    pub body: ItemBody,
}

/// The kinds of item.
#[expect(clippy::large_enum_variant, reason = "the large variant, a command, is the one that most items are")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemBody {
    /// What the user said.
    UserMessage {
        /// The text.
        text: String,
        /// How many images came with it.
        images: u32,
    },
    /// What the model said.
    AgentMessage {
        /// The text.
        text: String,
    },
    /// A summary of the model's reasoning.
    Reasoning {
        /// The text.
        text: String,
    },
    /// A command run in a session.
    CommandExecution(CommandExecution),
    /// Files changed by a patch.
    FileChange {
        /// The call that changed them.
        call: CallId,
        /// The changes, in the order of the patch.
        changes: Vec<FileChange>,
        /// How far it is.
        status: ItemStatus,
        /// Why it failed or was declined.
        reason: Option<String>,
    },
    /// A call of a tool that has no item of its own.
    ToolCall {
        /// The call.
        call: CallId,
        /// The tool's name.
        tool: String,
        /// The arguments, as the model wrote them.
        arguments: String,
        /// What the model was told.
        output: String,
        /// How far it is.
        status: ItemStatus,
    },
    /// The model's plan.
    TodoList {
        /// Its steps.
        steps: Vec<PlanStep>,
    },
    /// The conversation was shortened, so that it fits the model's window.
    Compaction(Compaction),
    /// A warning that does not end the turn.
    Error {
        /// What is wrong, and what to do.
        message: String,
    },
}

impl ItemBody {
    /// The call that it tells of, if it is one that tells of a call.
    #[must_use]
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::CommandExecution(command) => Some(command.call),
            Self::FileChange { call, .. } | Self::ToolCall { call, .. } => Some(*call),
            Self::UserMessage { .. }
            | Self::AgentMessage { .. }
            | Self::Reasoning { .. }
            | Self::TodoList { .. }
            | Self::Compaction(_)
            | Self::Error { .. } => None,
        }
    }
}

/// How a conversation was shortened. What the model is not shown any more stays stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compaction {
    /// Tokens of the prompt before, as far as they can be known.
    pub before_tokens: u64,
    /// And after.
    pub after_tokens: u64,
    /// Whether the model summed up what it is not shown any more; otherwise only the last of it is told.
    pub summed_up: bool,
}

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// It goes on.
    InProgress,
    /// It did what it should.
    Completed,
    /// It did not.
    Failed,
    /// The policy or a person said no.
    Declined,
}

/// A command run in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandExecution {
    /// The call that ran it.
    pub call: CallId,
    /// The command line, quoted for a shell.
    pub command: String,
    /// Where it ran.
    pub cwd: AbsPath,
    /// The host.
    pub node: NodeId,
    /// The session, once there is one.
    pub session: Option<SessionId>,
    /// The output so far, clamped as a person is shown it.
    pub output: String,
    /// How it ended.
    pub end: Option<SessionEnd>,
    /// How long it took.
    pub duration: Option<Millis>,
    /// How far it is.
    pub status: ItemStatus,
    /// Why it did not start, was declined, or failed in a way that no exit code tells.
    pub reason: Option<String>,
    /// What was in force.
    pub enforced: Option<Enforced>,
    /// What the sandbox refused, as far as it was seen: the last few, oldest first.
    #[serde(default)]
    pub denials: Vec<Denial>,
}

/// One file of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The file, before a move.
    pub path: String,
    /// What was done.
    pub kind: FileChangeKind,
}

/// What a patch does to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It is new.
    Add,
    /// It is gone.
    Delete,
    /// Its content changed.
    Update {
        /// Where it was moved to.
        moved_to: Option<String>,
    },
}

/// A step of the model's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is to be done.
    pub step: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far a step of a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
}
