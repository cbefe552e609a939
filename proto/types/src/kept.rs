//! What a node keeps of the workspaces that it made, and what goes.

use crate::id::ThreadId;
use crate::path::AbsPath;
use serde::{Deserialize, Serialize};

/// A workspace that a node made for a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWorkspace {
    /// Whose.
    pub thread: ThreadId,
    /// The directory of the node's that holds it.
    pub path: AbsPath,
    /// What it was made of, in words.
    pub source: String,
    /// How its files came there, in one word.
    pub how: String,
    /// The commit that was checked out.
    pub revision: Option<String>,
    /// How much of the disk it takes.
    pub bytes: u64,
    /// Whether it takes more than that.
    pub more: bool,
    /// By the node's clock, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// When its thread was opened last.
    pub used_at_ms: u64,
    /// By what it is used now, in words.
    pub in_use: Option<String>,
    /// What is wrong with its record, in words.
    pub broken: Option<String>,
}

/// What is to go besides what nobody can need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepQuery {
    /// How many bytes all may take.
    pub budget_bytes: Option<u64>,
    /// Those go that were not used for so long, in milliseconds.
    pub idle_ms: Option<u64>,
    /// It is only said what would go.
    pub dry_run: bool,
}

/// Something that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// A thread's id, or the name of what lay there.
    pub name: String,
    /// How much it took.
    pub bytes: u64,
    /// Why, for people.
    pub reason: String,
}

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Or would go.
    pub gone: Vec<Gone>,
    /// What should go and could not, with what kept it.
    pub stayed: Vec<Gone>,
}
