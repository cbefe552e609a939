//! The steps of a patch, and how each is undone: by the program that took it, or by one that comes after its death.
//!
//! Invariant: undoing looks at what is there now. What is not as the step left it is somebody else's by now, and is not touched.

use crate::rename::rename_new;
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the names of all our files begin with.
pub(crate) const PREFIX: &str = ".capstan-patch-";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// A directory is made.
    Directory(PathBuf),
    /// A file is written that nobody knows by its name yet.
    Written(PathBuf),
    /// A file takes its place, or goes from it.
    Placed {
        /// The place.
        target: PathBuf,
        /// Where the old version comes to lie.
        kept: PathBuf,
        /// What was there.
        old: Option<Identity>,
        /// What comes there.
        new: Option<Identity>,
    },
}

/// By what a version of a file is known again, under whatever name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Identity {
    /// What lies at `path`, links not followed; `None` when nothing does.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok()?;
        Some(Self { inode: found.ino(), size: found.size(), seconds: found.mtime(), nanoseconds: found.mtime_nsec() })
    }
}

impl Step {
    /// Whether undoing it can touch only what a patch program leaves.
    pub(crate) fn is_ours(&self) -> bool {
        let named = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
        match self {
            Self::Directory(path) => path.is_absolute(),
            Self::Written(path) => named(path),
            Self::Placed { target, kept, .. } => named(kept) && target.parent() == kept.parent(),
        }
    }
}

/// Takes away what was kept for undoing, once nothing is to be undone.
pub(crate) fn forget(steps: &[Step]) {
    for step in steps {
        if let Step::Placed { kept, old: Some(old), .. } = step
            && Identity::of(kept) == Some(*old)
        {
            let _ = fs::remove_file(kept);
        }
    }
}

/// Undoes steps from the last to the first; gives the ends of sentences about what could not be.
pub(crate) fn undo(steps: &[Step]) -> Vec<String> {
    let olds: Vec<Identity> = steps.iter().filter_map(old).collect();
    steps.iter().rev().filter_map(|step| undo_one(step, &olds)).collect()
}

fn old(step: &Step) -> Option<Identity> {
    match step {
        Step::Placed { old, .. } => *old,
        Step::Directory(_) | Step::Written(_) => None,
    }
}

fn undo_one(step: &Step, olds: &[Identity]) -> Option<String> {
    match step {
        Step::Directory(path) => drop(fs::remove_dir(path)),
        Step::Written(path) => {
            // An old version that could not be put back must not be lost as well.
            if Identity::of(path).is_some_and(|found| !olds.contains(&found)) {
                let _ = fs::remove_file(path);
            }
        }
        Step::Placed { target, new: Some(new), old: None, .. } => {
            if Identity::of(target) == Some(*new) {
                let _ = fs::remove_file(target);
            }
        }
        Step::Placed { old: None, .. } => {}
        Step::Placed { target, kept, old: Some(old), new } => return put_back(target, kept, *old, *new),
    }
    None
}

fn put_back(target: &Path, kept: &Path, old: Identity, new: Option<Identity>) -> Option<String> {
    if Identity::of(kept) != Some(old) {
        // It was never taken from its place.
        return None;
    }
    let done = match Identity::of(target) {
        None => rename_new(kept, target),
        here if here == new => fs::rename(kept, target),
        Some(_) => Err(std::io::Error::other("somebody else has written there since")),
    };
    let failed = done.err()?;
    Some(format!(", except that the old `{}` is now `{}` ({failed})", target.display(), kept.display()))
}
