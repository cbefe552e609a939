//! What a thread's events say of its checkpoints, and what people are told of them.

use super::{CheckpointName, WorkspaceSaved};
use crate::id::{ThreadId, TurnId};
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A checkpoint that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointNote {
    /// Whose: of a fork, those before it are the other thread's.
    pub thread: ThreadId,
    /// Among those of that thread.
    pub name: CheckpointName,
    /// Why it was taken.
    pub reason: CheckpointReason,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of these had not been stored before.
    pub new_bytes: u64,
    /// How many names could not be saved.
    #[serde(default)]
    pub skipped: u64,
}

/// Why a checkpoint was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointReason {
    /// A turn ended, and had changed something.
    Turn,
    /// A call was about to be run that may destroy something.
    Risk,
}

impl CheckpointNote {
    /// Of what was saved.
    #[must_use]
    pub const fn of(thread: ThreadId, name: CheckpointName, reason: CheckpointReason, saved: &WorkspaceSaved) -> Self {
        let WorkspaceSaved { files, bytes, new_bytes, skipped, .. } = saved;
        Self { thread, name, reason, files: *files, bytes: *bytes, new_bytes: *new_bytes, skipped: skipped.count }
    }
}

/// A checkpoint as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCheckpoint {
    /// What was taken.
    pub note: CheckpointNote,
    /// In which turn.
    pub turn: Option<TurnId>,
    /// When.
    pub at: UnixMillis,
    /// Whether it is in the coordinator's store. One that is not can be brought back on the node that took it, if at all.
    pub kept: bool,
}
