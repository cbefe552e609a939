//! A patch onto the files of a work tree.

use super::judge::{Conflict, Direction, Judged, judge};
use super::names::{is_there, named, obstacles};
use crate::failure::Failure;
use crate::local_git::{Bench, Git, Input, Objects, Repository};
use std::ffi::{OsStr, OsString};
use std::fs::File;
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
    let mut applied = Applied { marked: !conflicts.is_empty(), conflicts, ..compared(&bench, &ours, &theirs)? };
    applied.conflicts.sort();
    if !how.only_check && !applied.changed.is_empty() {
        write(&bench, &ours, &theirs)?;
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

/// What is different.
fn compared(bench: &Bench, ours: &str, theirs: &str) -> Result<Applied, Failure> {
    let out = bench.git().ask(["diff-tree", "-r", "-z", "--no-renames", ours, theirs], Input::Nothing)?;
    let mut applied = Applied::default();
    let mut parts = out.split(|byte| *byte == 0);
    // Each: modes, objects and a letter; a NUL; the name.
    while let (Some(facts), Some(name)) = (parts.next().filter(|facts| !facts.is_empty()), parts.next()) {
        let name = String::from_utf8_lossy(name).into_owned();
        let facts = String::from_utf8_lossy(facts);
        if facts.split(' ').take(2).any(|mode| mode.trim_start_matches(':') == "160000") {
            applied.submodules.push(name);
        } else {
            applied.changed.push((facts.chars().next_back().unwrap_or('M'), name));
        }
    }
    Ok(applied)
}

/// Brings the files from one state to the other. Git looks at each before it writes the first, and refuses what is not as it was.
fn write(bench: &Bench, ours: &str, theirs: &str) -> Result<(), Failure> {
    let difference = bench.file("difference");
    let file = File::create(&difference).map_err(|error| Failure::failed(format!("no temporary file can be made: {error}")))?;
    let arguments = ["diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv"];
    bench.git().write(arguments.into_iter().chain(["--no-color", "--ignore-submodules=all", ours, theirs]), file)?;
    // An index of what was there: git compares the files with it before it writes the first.
    bench.git().ask(["read-tree", "--reset", ours], Input::Nothing)?;
    // Its complaint about files that are not as they were comes again, with a failure.
    bench.git().run(["update-index", "-q", "--refresh"], Input::Nothing)?;
    let arguments =
        ["apply", "--index", "--whitespace=nowarn"].map(OsString::from).into_iter().chain([difference.into_os_string()]);
    let said = bench.git().run(arguments.collect::<Vec<_>>().iter().map(OsStr::new), Input::Nothing)?;
    if said.is_success {
        return Ok(());
    }
    let sentence = format!("the patch fits, and could not be applied: {}", said.complaint());
    Err(Failure::failed(sentence).hint("if a file was changed at that moment, try again; `git status` shows what there is"))
}
