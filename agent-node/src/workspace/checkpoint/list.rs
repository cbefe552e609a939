//! Which states of a thread's workspace are known: a small file beside the objects.
//!
//! Bounded: the first and the last turns that changed something, [`MOST`] in all. A thread that nothing was noted of for [`KEPT_FOR`] is forgotten, objects and
//! all, and so are the oldest past [`THREADS`] on one node.

use capstan_types::path::AbsPath;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The most turns of a thread. Full: the oldest is forgotten.
const MOST: usize = 256;
/// The most threads.
const THREADS: usize = 512;
/// How long a thread's states are kept after the last of them.
const KEPT_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// The file.
const FILE: &str = "turns.json";

/// A turn that may have changed the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The turn, or the name that was given to a state which an undo replaced.
    pub(super) name: String,
    pub(super) cwd: AbsPath,
    /// The tree before it.
    pub(super) before: String,
    /// The tree at its end, once that was seen.
    pub(super) after: Option<String>,
    /// The commit that the workspace stood on then, if it was in a repository that has one.
    #[serde(default)]
    pub(super) head: Option<String>,
    /// Whether it is undone, or is itself the undoing of another: the last turn is another one then.
    pub(super) undone: bool,
}

/// The turns, the oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct List {
    turns: Vec<Record>,
}

impl List {
    /// What `dir` holds; nothing when it holds none, or one that cannot be read.
    pub(super) fn read(dir: &Path) -> Self {
        let text = fs::read(dir.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Written aside and renamed, so that a full disk leaves the old one.
    pub(super) fn write(&self, dir: &Path) -> Result<(), String> {
        let told = |error: std::io::Error| format!("the list of turns cannot be written: {error}");
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let aside = dir.join("turns.new");
        fs::write(&aside, text).map_err(told)?;
        fs::rename(&aside, dir.join(FILE)).map_err(told)
    }

    /// The turn of that name, or the last one that is not undone.
    pub(super) fn find(&self, name: &str) -> Option<&Record> {
        let meant = |record: &&Record| if name.is_empty() { !record.undone } else { record.name == name };
        self.turns.iter().rev().find(meant)
    }

    /// What the thread began with.
    pub(super) fn first(&self) -> Option<&Record> {
        self.turns.first()
    }

    pub(super) fn push(&mut self, record: Record) {
        self.turns.push(record);
        let excess = self.turns.len().saturating_sub(MOST);
        // The first one stays: what the whole thread changed is changed since then.
        self.turns.drain(1..1 + excess);
    }

    pub(super) fn ended(&mut self, name: &str, after: String) {
        self.change(name, |record| record.after = Some(after));
    }

    pub(super) fn undone(&mut self, name: &str) {
        self.change(name, |record| record.undone = true);
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.turns.iter_mut().rev().find(|record| record.name == name) {
            change(record);
        }
    }
}

/// Forgets the threads whose time is over, and the oldest of too many. Blocks for as long as that takes.
pub(crate) fn sweep(dir: &Path) {
    // One that is just being made has no list yet.
    let found = |path: &PathBuf| fs::metadata(path.join(FILE)).or_else(|_| fs::metadata(path));
    let age = |path: &PathBuf| found(path).and_then(|found| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let threads = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut threads: Vec<_> = threads.map(|path| (age(&path), path)).collect();
    threads.sort_unstable_by(|one, other| other.cmp(one));
    let old = SystemTime::now().checked_sub(KEPT_FOR).unwrap_or(SystemTime::UNIX_EPOCH);
    let over = threads.iter().enumerate().filter(|(number, (at, _))| *number >= THREADS || *at < old);
    for (_, (_, path)) in over {
        if let Err(error) = fs::remove_dir_all(path) {
            tracing::warn!(dir = %path.display(), %error, "old states of a workspace could not be removed; it is tried again in an hour");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, undone: bool) -> Record {
        Record { name: name.into(), cwd: AbsPath::new("/w").unwrap(), before: "b".into(), after: None, head: None, undone }
    }

    #[test]
    fn an_empty_name_is_the_last_turn_that_is_not_undone_and_the_oldest_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut list = List::read(dir.path());
        for number in 0..MOST + 1 {
            list.push(record(&number.to_string(), false));
        }
        list.push(record("saved", true));
        list.undone(&MOST.to_string());
        list.ended("saved", "after".into());
        list.write(dir.path()).unwrap();
        let list = List::read(dir.path());
        assert_eq!(list.find("").map(|record| record.name.clone()), Some((MOST - 1).to_string()));
        assert_eq!(list.first().map(|record| record.name.as_str()), Some("0"));
        assert_eq!(list.find("saved").and_then(|record| record.after.clone()), Some("after".into()));
        assert!(list.find("1").is_none() && list.find("2").is_none() && list.find("3").is_some());
    }

    #[test]
    fn threads_whose_time_is_over_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["new", "old"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        List::default().write(&dir.path().join("new")).unwrap();
        List::default().write(&dir.path().join("old")).unwrap();
        let long_ago = SystemTime::now() - KEPT_FOR - Duration::from_secs(9);
        fs::File::options().write(true).open(dir.path().join("old").join(FILE)).unwrap().set_modified(long_ago).unwrap();
        sweep(dir.path());
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["new"]);
    }
}
