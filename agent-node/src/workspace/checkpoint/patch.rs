//! What changed since a turn as a patch of any size, which git can apply elsewhere: binary files, modes and symbolic links included.

use super::list::{List, Record};
use super::{Checkpoints, none_of, tree};
use crate::error::NodeError;
use crate::workspace::git::ThreadGit;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Where the script writes it, in the directory of the states.
const FILE: &str = "patch";
/// A flag of Linux: do not follow a link.
const NO_FOLLOW: i32 = 0o400_000;

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// The turn before which it begins; empty: the first one of the thread that may have changed something.
    pub(crate) from: String,
    /// The turn with which it ends; empty: what is there now.
    pub(crate) to: String,
}

/// A patch that is ready to be read.
#[derive(Debug)]
pub(crate) struct Patch {
    /// It has no name any more: its room is returned when nobody reads it.
    pub(crate) file: File,
    /// Its length.
    pub(crate) bytes: u64,
    /// How many files it changes.
    pub(crate) files: u64,
    /// The commit on which the thread's work began, where there was one.
    pub(crate) base: Option<String>,
}

impl Checkpoints {
    /// What changed in `span`.
    pub(crate) async fn patch(&self, git: &ThreadGit, span: &Span) -> Result<Patch, NodeError> {
        let _turn = self.turn.lock().await;
        let list = List::read(&self.dir);
        let missing = || NodeError::NoCheckpoint(span.from.clone());
        let record = if span.from.is_empty() { list.first() } else { list.find(&span.from) }.ok_or_else(missing)?.clone();
        let none = none_of(&record.cwd);
        let to = end(&list, &span.to)?;
        let scratch = self.made().map_err(&none)?;
        let between = vec![("CAPSTAN_FROM", record.before.clone()), ("CAPSTAN_TO", to)];
        let said = self.run(git, &record.cwd, &scratch, ("patch", between)).await.map_err(|failed| none(failed.reason))?;
        tree(&said.words[0]).map_err(&none)?;
        let (file, bytes) = taken(&self.dir.join(FILE)).map_err(|error| none(format!("the patch cannot be read: {error}")))?;
        // Later turns may stand on a commit of the thread's own: what its first one stood on is what its patch begins with.
        let base = list.first().filter(|_| span.from.is_empty()).map_or(record.head, |first| first.head.clone());
        Ok(Patch { file, bytes, files: said.words[1].parse().unwrap_or_default(), base })
    }
}

/// The state in which a turn ended; nothing of one that has not, and of none.
fn end(list: &List, turn: &str) -> Result<String, NodeError> {
    let ended = |record: &Record| record.after.clone().unwrap_or_default();
    match turn {
        "" => Ok(String::new()),
        turn => list.find(turn).map(ended).ok_or_else(|| NodeError::NoCheckpoint(turn.to_owned())),
    }
}

/// Opens the file and takes its name away.
fn taken(path: &Path) -> io::Result<(File, u64)> {
    let file = File::options().read(true).custom_flags(NO_FOLLOW).open(path)?;
    fs::remove_file(path)?;
    let found = file.metadata()?;
    if found.is_file() { Ok((file, found.len())) } else { Err(io::ErrorKind::InvalidInput.into()) }
}
