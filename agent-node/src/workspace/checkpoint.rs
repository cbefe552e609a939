//! The states of a thread's workspace: before each turn that changes it, and after. What a turn changed can be shown, and undone.
//!
//! A state is a git tree in an object directory of the node's, which borrows from the repository's where there is one; neither the user's
//! index, refs and objects are touched, nor is a repository needed. Contents are kept byte for byte, and of a file's mode whether it may be
//! executed; what git ignores is no part of a state, and nor are empty directories and repositories within the workspace, nor what the policy
//! of the thread's sessions hides from them: nobody is shown it in a diff, and no undo touches it.

mod list;
pub(crate) mod patch;
mod said;

use crate::error::NodeError;
use crate::workspace::git::{Failed, Script, ThreadGit};
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::id::SessionId;
use capstan_types::path::AbsPath;
use list::{List, Record};
use said::Said;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

pub(crate) use list::sweep;

/// The longest diff that is given out, in bytes, so that it fits into a message of gRPC's usual limit.
pub(crate) const MAX_DIFF: usize = 3 << 20;
/// The most bytes of names of changed files that are looked at.
const MAX_NAMES: usize = 1 << 20;
/// The most names of changed files that are given out.
const SHOWN: usize = 100;
/// What a script may say besides its output, in bytes.
const COMPLAINT: usize = 4096;
/// The most new files that one state takes in, and the most bytes of them. With more there is no checkpoint.
const MOST_FILES: u64 = 200_000;
const MOST_BYTES: u64 = 1 << 30;

/// For how long what was too much to be noted is not looked at again.
const TOO_MUCH_FOR: Duration = Duration::from_secs(5 * 60);

/// A directory of which no state could be taken in the time and the room for it.
#[derive(Debug)]
struct TooMuch {
    cwd: AbsPath,
    reason: String,
    at: Instant,
}

/// The states of one thread's workspace. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    dir: PathBuf,
    /// Held while git runs in it: two at once would find each other's lock files. Inside: which directory was too much to be noted.
    turn: Arc<Mutex<Option<TooMuch>>>,
}

impl Checkpoints {
    /// Those that lie in `dir`, which need not exist.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir, turn: Arc::default() }
    }

    /// Takes note of the state before the turn `name`, unless that has been done.
    pub(crate) async fn begin(&self, git: &ThreadGit, cwd: AbsPath, name: String) -> Result<(), NodeError> {
        let mut turn = self.turn.lock().await;
        let none = none_of(&cwd);
        // What took a minute and failed is not tried again before every turn.
        if let Some(known) = turn.as_ref().filter(|known| known.cwd == cwd && known.at.elapsed() < TOO_MUCH_FOR) {
            return Err(none(known.reason.clone()));
        }
        let mut list = List::read(&self.dir);
        if list.find(&name).is_some() {
            return Ok(());
        }
        let scratch = self.made().map_err(&none)?;
        let taken = self.run(git, &cwd, &scratch, ("take", vec![])).await;
        *turn = match &taken {
            Err(failed) if failed.too_much => {
                Some(TooMuch { cwd: cwd.clone(), reason: failed.reason.clone(), at: Instant::now() })
            }
            Ok(_) | Err(_) => None,
        };
        let said = taken.map_err(|failed| none(failed.reason))?;
        let (before, head) = (tree(&said.text).map_err(&none)?, tree(&said.words[0]).ok());
        list.push(Record { name, cwd: cwd.clone(), before, after: None, head, undone: false });
        list.write(&self.dir).map_err(&none)
    }

    /// What the turn `name` changed, in at most `max_bytes`; an empty name is that of the last turn. `ended` says that the turn has ended, so
    /// that what changes from now on is not its doing.
    pub(crate) async fn changes(
        &self,
        git: &ThreadGit,
        name: &str,
        max_bytes: usize,
        ended: Ended,
    ) -> Result<Changes, NodeError> {
        let _turn = self.turn.lock().await;
        let mut list = List::read(&self.dir);
        let record = list.find(name).ok_or_else(|| NodeError::NoCheckpoint(name.to_owned()))?.clone();
        let none = none_of(&record.cwd);
        let scratch = self.made().map_err(&none)?;
        let max = max_bytes.clamp(1, MAX_DIFF);
        let between = vec![
            ("CAPSTAN_FROM", record.before.clone()),
            ("CAPSTAN_TO", record.after.clone().unwrap_or_default()),
            ("CAPSTAN_MAX", max.to_string()),
        ];
        let said = self.run(git, &record.cwd, &scratch, ("diff", between)).await.map_err(|failed| none(failed.reason))?;
        let after = tree(&said.words[0]).map_err(&none)?;
        if ended == Ended::Now && record.after.is_none() {
            list.ended(&record.name, after);
            list.write(&self.dir).map_err(&none)?;
        }
        Ok(said.changes(max))
    }

    /// Brings the workspace back to what it was before the turn `name`; an empty name is that of the last turn that is not undone.
    pub(crate) async fn undo(&self, git: &ThreadGit, name: &str, force: Force) -> Result<Undo, NodeError> {
        let _turn = self.turn.lock().await;
        let mut list = List::read(&self.dir);
        let record = list.find(name).ok_or_else(|| NodeError::NoCheckpoint(name.to_owned()))?.clone();
        let none = none_of(&record.cwd);
        let scratch = self.made().map_err(&none)?;
        let since = vec![("CAPSTAN_FROM", record.after.clone().unwrap_or_default()), ("CAPSTAN_MAX", MAX_NAMES.to_string())];
        let said = self.run(git, &record.cwd, &scratch, ("changed", since)).await.map_err(|failed| none(failed.reason))?;
        let now = tree(&said.words[0]).map_err(&none)?;
        match (&record.after, force) {
            (_, Force::Yes) => {}
            (None, Force::No) => return Ok(Undo::NeverEnded),
            // Compared with what of its end is not hidden now.
            (Some(_), Force::No) if said.words[1] != now => return Ok(Undo::ChangedSince(said.names())),
            (Some(_), Force::No) => {}
        }
        // Stored before anything is changed: whatever happens from here on, the present state is not lost.
        let saved = SessionId::generate().to_string();
        let present =
            Record { name: saved.clone(), cwd: record.cwd.clone(), before: now.clone(), after: None, head: None, undone: true };
        list.push(present);
        list.write(&self.dir).map_err(&none)?;
        let back = vec![("CAPSTAN_FROM", now), ("CAPSTAN_TO", record.before.clone()), ("CAPSTAN_MAX", MAX_NAMES.to_string())];
        let said = self.run(git, &record.cwd, &scratch, ("restore", back)).await.map_err(|Failed { reason, .. }| {
            NodeError::Unknown(format!("the workspace may be half restored ({reason}); its state before is kept as `{saved}`"))
        })?;
        let after = tree(&said.words[0]).map_err(&none)?;
        let resisted = after != said.words[1];
        list.undone(&record.name);
        list.ended(&saved, after);
        list.write(&self.dir).map_err(&none)?;
        Ok(Undo::Done { saved, changed: said.names(), resisted })
    }

    /// Removes all states, and the files that were kept for them.
    pub(crate) async fn forget(&self) -> Result<(), NodeError> {
        let mut turn = self.turn.lock().await;
        *turn = None;
        match tokio::fs::remove_dir_all(&self.dir).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(NodeError::Unknown(format!("the states of the workspace could not be removed: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn made(&self) -> Result<AbsPath, String> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| format!("cannot make the directory for it: {error}"))?;
        AbsPath::new(&self.dir).map_err(|error| error.to_string())
    }

    async fn run(
        &self,
        git: &ThreadGit,
        cwd: &AbsPath,
        scratch: &AbsPath,
        (what, mut variables): (&'static str, Vec<(&'static str, String)>),
    ) -> Result<Said, Failed> {
        let room = variables.iter().find(|(name, _)| *name == "CAPSTAN_MAX").and_then(|(_, max)| max.parse().ok());
        let writable = if what == "restore" { vec![cwd.clone()] } else { Vec::new() };
        let bounds = [("CAPSTAN_FILES", MOST_FILES.to_string()), ("CAPSTAN_BYTES", MOST_BYTES.to_string())];
        variables.extend(bounds);
        variables.push(("CAPSTAN_DO", what.to_owned()));
        let cap = room.unwrap_or(0_usize) + COMPLAINT;
        let script = Script { text: include_str!("checkpoint/git.sh"), cwd, scratch, writable, variables, cap };
        git.run(script).await.map(|said| Said::read(&said))
    }
}

/// Whether a turn has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this request.
    Now,
    /// It goes on, or ended before.
    NotNow,
}

/// Whether what changed since is undone as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Force {
    Yes,
    No,
}

fn none_of(cwd: &AbsPath) -> impl Fn(String) -> NodeError {
    let cwd = cwd.to_string();
    move |reason| NodeError::NoState { cwd: cwd.clone(), reason }
}

fn tree(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name { Ok(text.to_owned()) } else { Err(format!("git gave no tree: {text}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_object_names_are_trees() {
        assert!(tree(&"a1".repeat(20)).is_ok() && tree(&format!("{}\n", "0f".repeat(32))).is_ok());
        assert!(tree("").is_err() && tree(&"g".repeat(40)).is_err() && tree("fatal: x").is_err());
    }
}
