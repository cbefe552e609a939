//! Which checkpoints a coordinator takes, and how long they are kept.

use std::path::PathBuf;

/// Which checkpoints a coordinator takes, and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRules {
    /// The most of a thread's turns that can be brought back. The oldest goes first. 0 takes no checkpoints.
    pub keep: u32,
    /// For how many days they are kept at most. 0 keeps them for as long as the thread.
    pub days: u32,
    /// Whether what git ignores is part of them.
    pub ignored: bool,
    /// Where packs lie while they are carried between nodes and the store: a directory, which is made when it is needed.
    pub scratch: PathBuf,
}

impl Default for CheckpointRules {
    fn default() -> Self {
        Self { keep: 50, days: 14, ignored: false, scratch: std::env::temp_dir() }
    }
}
