//! A patch onto the files of a work tree.

use super::differences::{Difference, differences};
use super::judge::{Conflict, Direction, Judged, judge};
use super::names::{is_there, named, obstacles};
use super::write::write;
use crate::failure::Failure;
use crate::local_git::{Bench, Git, Input, Objects, Repository};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Which way.
    pub direction: Direction,
    /// Whether marks are left where it does not fit.
    pub marks: bool,
    /// Whether it is only said what would become of it.
    pub only_check: bool,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The files that were changed, or would be: a letter as git has it, and the name.
    pub changed: Vec<(char, String)>,
    /// Repositories within this one that should stand on other commits: they are left alone.
    pub submodules: Vec<String>,
    /// Where it did not fit. With these nothing was changed, unless marks were asked for.
    pub conflicts: Vec<Conflict>,
    /// Whether the files have marks where it did not fit, and all else of it.
    pub marked: bool,
    /// Whether they could have.
    pub mergeable: bool,
}

/// Applies the patch in a file to the work tree of `repository`: all of it or nothing, but for marks that are asked for.
///
/// # Errors
/// It is no patch, git fails, or files change at the same moment; then nothing was changed.
pub fn apply(git: &Git, repository: &Repository, patch: &Path, how: How) -> Result<Applied, Failure> {
    let bench = Bench::beside(git, repository, Objects::Own)?;
    let names = named(&bench, patch)?;
    let conflicts = obstacles(&repository.top, &names);
    if !conflicts.is_empty() {
        return Ok(Applied { conflicts, ..Applied::default() });
    }
    let names: Vec<_> = names.into_iter().collect();
    let ours = present(&bench, repository, &names)?;
    let (theirs, conflicts) = match judge(&bench, patch, how.direction, &names)? {
        Judged::Fits(theirs) => (theirs, Vec::new()),
        Judged::Conflicts { conflicts, marked: Some(marked) } if how.marks => (marked, conflicts),
        Judged::Conflicts { mut conflicts, marked } => {
            conflicts.sort();
            return Ok(Applied { conflicts, mergeable: marked.is_some(), ..Applied::default() });
        }
    };
    let all = differences(&bench, &ours, &theirs)?;
    let mut applied = Applied { marked: !conflicts.is_empty(), conflicts, ..compared(&all) };
    applied.conflicts.sort();
    if !how.only_check && !applied.changed.is_empty() {
        write(&bench, repository, (&ours, &theirs), &all)?;
    }
    Ok(applied)
}

/// The tree of those files that are there, as they are.
fn present(bench: &Bench, repository: &Repository, names: &[PathBuf]) -> Result<String, Failure> {
    let there = names.iter().filter(|name| is_there(&repository.top, name));
    let list: Vec<u8> = there.flat_map(|name| [name.as_os_str().as_bytes(), b"\0"].concat()).collect();
    bench.git().ask(["update-index", "--add", "-z", "--stdin"], Input::Bytes(&list))?;
    bench.git().word(["write-tree"])
}

/// What is told of the differences.
fn compared(all: &[Difference]) -> Applied {
    let mut applied = Applied::default();
    for difference in all {
        let name = difference.path.to_string_lossy().into_owned();
        if difference.is_submodule() {
            applied.submodules.push(name);
        } else {
            applied.changed.push((difference.letter, name));
        }
    }
    applied
}
