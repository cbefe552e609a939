//! Checkpoints that travel: states of workspaces that any node of a cluster can bring back.

pub mod note;
pub mod record;

use crate::id::ThreadId;
use crate::path::AbsPath;
use crate::policy::SandboxPolicy;
use crate::session::Authority;
use crate::tree_document::Skipped;
use record::CheckpointRecord;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of a checkpoint among those of its thread: letters, digits, `-` and `_`, 1 to 100 of them. A turn's id is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CheckpointName(String);

impl CheckpointName {
    /// The longest, in bytes.
    pub const MOST: usize = 100;

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CheckpointName {
    type Err = NotACheckpointName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=Self::MOST).contains(&text.len()) && text.bytes().all(is_letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACheckpointName)
        }
    }
}

impl TryFrom<String> for CheckpointName {
    type Error = NotACheckpointName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CheckpointName> for String {
    fn from(name: CheckpointName) -> Self {
        name.0
    }
}

impl fmt::Display for CheckpointName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text that names no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint's name has 1 to 100 letters, digits, `-` or `_`")]
pub struct NotACheckpointName;

/// A request to save a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveWorkspace {
    /// Who asks, and for which thread.
    pub authority: Authority,
    /// The workspace's top.
    pub cwd: AbsPath,
    /// What the checkpoint will be called. One of that name that is there already is the answer.
    pub name: CheckpointName,
    /// The policy of the thread's sessions: what they may not read is no part of it.
    pub policy: SandboxPolicy,
    /// Whether what git ignores is part of it.
    pub ignored: bool,
}

/// A request to bring a checkpoint back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreWorkspace {
    /// Who asks, and for which thread.
    pub authority: Authority,
    /// Where: a directory that is there. What is in it and not in the checkpoint is removed.
    pub cwd: AbsPath,
    /// Whose, if it is not this thread's.
    pub of: Option<ThreadId>,
    /// Which.
    pub name: CheckpointName,
    /// The policy of the thread's sessions: what they may not write stays as it is.
    pub policy: SandboxPolicy,
}

/// A request to compare two checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareWorkspaces {
    /// Who asks, and for which thread.
    pub authority: Authority,
    /// The earlier one.
    pub before: CheckpointRecord,
    /// The later one.
    pub after: CheckpointRecord,
    /// The most names.
    pub most: usize,
}

/// A checkpoint that was saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceSaved {
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many bytes had not been stored before.
    pub new_bytes: u64,
    /// What is no part of it although it should be.
    pub skipped: Skipped,
    /// Its record, for whoever keeps it elsewhere as well. Empty from a node that does not tell it.
    pub record: Option<Box<CheckpointRecord>>,
}

/// A checkpoint that was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceRestored {
    /// How many names were made, written anew, removed or given other permissions.
    pub changed: u64,
    /// The first of them, from the top.
    pub named: Vec<String>,
    /// What could not be brought back.
    pub skipped: Skipped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_step_of_a_path_and_nothing_else() {
        for name in ["a", "019b-7c_X", &"x".repeat(100)] {
            assert_eq!(name.parse::<CheckpointName>().unwrap().as_str(), name);
        }
        for name in ["", "..", "a/b", "a b", "é", "a\0", &"x".repeat(101)] {
            assert_eq!(name.parse::<CheckpointName>(), Err(NotACheckpointName), "{name:?}");
        }
    }
}
