//! What is different between two trees.

use crate::failure::Failure;
use crate::local_git::{Bench, Input};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A file that one tree has otherwise than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// As git has it: A, D, M or T.
    pub letter: char,
    /// Its modes before and after; zeros for none.
    pub modes: [String; 2],
    /// From the top.
    pub path: PathBuf,
}

impl Difference {
    /// Whether it is a repository within this one, before or after.
    pub(super) fn is_submodule(&self) -> bool {
        self.modes.iter().any(|mode| mode == "160000")
    }

    /// Whether it is a plain file before and after.
    pub(super) fn stays_plain(&self) -> bool {
        self.modes.iter().all(|mode| mode.starts_with("100"))
    }
}

/// All of them, in git's order.
///
/// # Errors
/// Git fails.
pub(super) fn differences(bench: &Bench, ours: &str, theirs: &str) -> Result<Vec<Difference>, Failure> {
    let out = bench.git().ask(["diff-tree", "-r", "-z", "--no-renames", ours, theirs], Input::Nothing)?;
    let mut all = Vec::new();
    let mut parts = out.split(|byte| *byte == 0);
    // Each: modes, objects and a letter; a NUL; the name.
    while let (Some(facts), Some(name)) = (parts.next().filter(|facts| !facts.is_empty()), parts.next()) {
        let facts = String::from_utf8_lossy(facts);
        let mut modes = facts.split(' ').map(|mode| mode.trim_start_matches(':').to_owned());
        let modes = [modes.next().unwrap_or_default(), modes.next().unwrap_or_default()];
        let letter = facts.chars().next_back().unwrap_or('M');
        all.push(Difference { letter, modes, path: PathBuf::from(OsStr::from_bytes(name)) });
    }
    Ok(all)
}
