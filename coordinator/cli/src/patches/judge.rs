//! Whether a patch fits a state: as it is, by merging, or not.

use crate::failure::Failure;
use crate::local_git::{Bench, Input};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The largest file that is merged with marks in it, in bytes.
const MOST_MARKED: usize = 64 << 20;

/// Which way a patch is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As it is.
    Forward,
    /// It is taken back.
    Reverse,
}

impl Direction {
    pub(super) const fn flag(self) -> Option<&'static str> {
        match self {
            Self::Forward => None,
            Self::Reverse => Some("--reverse"),
        }
    }
}

/// A file that a patch does not fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// From the top of the work tree.
    pub path: String,
    /// For people.
    pub reason: &'static str,
}

/// What became of judging.
#[derive(Debug)]
pub(super) enum Judged {
    /// It fits, and comes to this tree.
    Fits(String),
    /// It does not fit these.
    Conflicts {
        conflicts: Vec<Conflict>,
        /// The tree with all that fits, and with marks where it does not; none where it cannot be merged.
        marked: Option<String>,
    },
}

/// Judges `patch` on the state that is in the bench's index.
///
/// # Errors
/// It is no patch that may be applied, or git fails.
pub(super) fn judge(bench: &Bench, patch: &Path, direction: Direction, candidates: &[PathBuf]) -> Result<Judged, Failure> {
    let apply = |more: &[OsString]| {
        let flags = ["apply", "--cached", "--whitespace=nowarn"].into_iter().chain(direction.flag()).map(OsStr::new);
        bench.git().run(flags.chain(more.iter().map(OsString::as_os_str)).chain([patch.as_os_str()]), Input::Nothing)
    };
    let plain = apply(&[])?;
    if plain.is_success {
        return Ok(Judged::Fits(tree(bench)?));
    }
    if let Some(line) = plain.err.lines().find(|line| line.contains("invalid path") || line.contains("corrupt patch")) {
        let complaint = line.trim_start_matches("error: ").trim_start_matches("fatal: ");
        return Err(Failure::bad_input(format!("the patch is refused: {complaint}")));
    }
    let back = if direction == Direction::Reverse { vec![] } else { vec![OsString::from("--reverse")] };
    let opposite = bench.git().run(
        ["apply", "--cached", "--check"].map(OsString::from).into_iter().chain(back).chain([patch.as_os_str().to_owned()]),
        Input::Nothing,
    )?;
    if opposite.is_success {
        // All of it is here already.
        return Ok(Judged::Fits(tree(bench)?));
    }
    let merge = OsString::from("--3way");
    let mut merged = apply(std::slice::from_ref(&merge))?;
    let mut conflicts = Vec::new();
    if !merged.is_success && unmerged(bench)?.is_empty() {
        // Some of it cannot be merged at all, such as the removal of what was changed here. The rest may be.
        conflicts = complaints(&merged.err, candidates);
        let left_out = conflicts.iter().map(|conflict| excluded(Path::new(&conflict.path)));
        merged = apply(&[merge].into_iter().chain(left_out).collect::<Vec<_>>())?;
    }
    let unmerged = unmerged(bench)?;
    if unmerged.is_empty() && !merged.is_success {
        return Ok(Judged::Conflicts { conflicts: complaints(&plain.err, candidates), marked: None });
    }
    for (path, stages) in unmerged {
        let reason = settle(bench, &path, &stages)?;
        conflicts.push(Conflict { path: path.to_string_lossy().into_owned(), reason });
    }
    let tree = tree(bench)?;
    if conflicts.is_empty() { Ok(Judged::Fits(tree)) } else { Ok(Judged::Conflicts { conflicts, marked: Some(tree) }) }
}

/// The flag that leaves a file of a patch out.
fn excluded(path: &Path) -> OsString {
    let mut flag = b"--exclude=".to_vec();
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            flag.push(b'\\');
        }
        flag.push(*byte);
    }
    OsString::from_vec(flag)
}

fn tree(bench: &Bench) -> Result<String, Failure> {
    bench.git().word(["write-tree"])
}

/// A file in its mode and its contents: before the patch, here, and after it.
type Stages = [Option<(String, String)>; 3];

fn unmerged(bench: &Bench) -> Result<BTreeMap<PathBuf, Stages>, Failure> {
    let out = bench.git().ask(["ls-files", "-u", "-z"], Input::Nothing)?;
    let mut all = BTreeMap::<PathBuf, Stages>::new();
    for entry in out.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let mut halves = entry.splitn(2, |byte| *byte == b'\t');
        let (facts, path) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let facts = String::from_utf8_lossy(facts).into_owned();
        let mut words = facts.split(' ').map(str::to_owned);
        if let (Some(mode), Some(object), Some(stage)) = (words.next(), words.next(), words.next()) {
            let stages = all.entry(PathBuf::from(OsStr::from_bytes(path))).or_default();
            if let Some(place) = stage.parse::<usize>().ok().and_then(|stage| stages.get_mut(stage.wrapping_sub(1))) {
                *place = Some((mode, object));
            }
        }
    }
    Ok(all)
}

/// Puts into the index what is to be in the file: both sides with marks between them, or what is here. Says why.
fn settle(bench: &Bench, path: &Path, stages: &Stages) -> Result<&'static str, Failure> {
    let (reason, kept) = match stages {
        [_, None, Some(_)] => ("it was removed here", None),
        [_, Some(ours), None] => ("the patch removes it, and it was changed here", Some(ours.clone())),
        [base, Some(ours), Some(theirs)] => match marked(bench, base.as_ref(), ours, theirs)? {
            Some(object) => (marked_reason(base.is_some()), Some((ours.0.clone(), object))),
            None => ("it is binary or no plain file, and was changed here", Some(ours.clone())),
        },
        [_, None, None] => ("it was removed here", None),
    };
    let name = path.as_os_str().as_bytes();
    let zero = "0".repeat(stages.iter().flatten().next().map_or(40, |(_, object)| object.len()));
    let mut lines = [format!("0 {zero}\t").as_bytes(), name, b"\0"].concat();
    if let Some((mode, object)) = kept {
        lines.extend([format!("{mode} {object} 0\t").as_bytes(), name, b"\0"].concat());
    }
    bench.git().ask(["update-index", "-z", "--index-info"], Input::Bytes(&lines))?;
    Ok(reason)
}

const fn marked_reason(has_base: bool) -> &'static str {
    if has_base { "the same lines were changed here" } else { "it was made here too, with other contents" }
}

/// The contents with marks, where both sides are text.
fn marked(
    bench: &Bench,
    base: Option<&(String, String)>,
    ours: &(String, String),
    theirs: &(String, String),
) -> Result<Option<String>, Failure> {
    let is_plain = |mode: &str| mode.starts_with("100");
    if !is_plain(&ours.0) || !is_plain(&theirs.0) {
        return Ok(None);
    }
    let failed = |error: std::io::Error| Failure::failed(format!("the temporary directory cannot be written: {error}"));
    for (name, object) in [("yours", Some(&ours.1)), ("before", base.map(|(_, object)| object)), ("patch", Some(&theirs.1))] {
        let text = match object {
            Some(object) => bench.git().ask(["cat-file", "blob", object], Input::Nothing)?,
            None => Vec::new(),
        };
        if text.len() > MOST_MARKED {
            return Ok(None);
        }
        fs::write(bench.file(name), text).map_err(failed)?;
    }
    let labels = ["merge-file", "-p", "-L", "here", "-L", "before", "-L", "patch"].map(OsString::from).into_iter();
    let files = ["yours", "before", "patch"].map(|name| bench.file(name).into_os_string());
    let said = bench.git().run(labels.chain(files), Input::Nothing)?;
    // The code is the number of conflicts, up to 127; past that it is a failure: what is binary is not merged.
    if !(0..=127).contains(&said.code) {
        return Ok(None);
    }
    let object = bench.git().ask(["hash-object", "-w", "--no-filters", "--stdin"], Input::Bytes(&said.out))?;
    Ok(Some(String::from_utf8_lossy(&object).trim().to_owned()))
}

/// The files that git complained of, by their names: what it says of them is its own, and differs between its versions.
fn complaints(err: &str, candidates: &[PathBuf]) -> Vec<Conflict> {
    let names = candidates.iter().map(|path| path.to_string_lossy());
    let mut conflicts: Vec<_> =
        names.filter_map(|name| Some(Conflict { reason: reason(err, &name)?, path: name.into_owned() })).collect();
    if conflicts.is_empty() {
        conflicts.extend(
            candidates.first().map(|path| Conflict { path: path.to_string_lossy().into_owned(), reason: "git does not say why" }),
        );
    }
    conflicts
}

fn reason(err: &str, name: &str) -> Option<&'static str> {
    let said = |what: String| err.lines().any(|line| line.starts_with(&what));
    if said(format!("error: {name}: already exists")) {
        Some("it is here already")
    } else if said(format!("error: {name}: does not exist")) || said(format!("error: {name}: No such file")) {
        Some("it is not here")
    } else if said(format!("error: {name}: wrong type")) {
        Some("it is something else here")
    } else if said(format!("error: affected file '{name}' is beyond a symbolic link")) {
        Some("it lies beyond a symbolic link")
    } else if said(format!("error: patch failed: {name}:")) || said(format!("error: {name}: ")) {
        Some("it was changed here")
    } else if err.lines().any(|line| line.starts_with("error: ") && line.contains(&format!("'{name}'"))) {
        Some("it was changed here, and is binary")
    } else {
        None
    }
}
