//! Which files a patch names, and which of them are there.

use super::judge::{Conflict, Direction};
use crate::failure::Failure;
use crate::local_git::{Bench, Input};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How deep a directory is looked into that must be empty.
const DEEPEST: usize = 64;

/// The paths that a patch names, from the top of the work tree: those before and those after it.
///
/// # Errors
/// It is no patch; bad input.
pub(super) fn named(bench: &Bench, patch: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut names = BTreeSet::new();
    for direction in [Direction::Forward, Direction::Reverse] {
        let arguments = ["apply", "--numstat", "-z"].map(OsString::from).into_iter();
        let arguments = arguments.chain(direction.flag().map(OsString::from)).chain([patch.as_os_str().to_owned()]);
        let said = bench.git().run(arguments, Input::Nothing)?;
        if !said.is_success {
            let complaint = said.complaint().replace(&*patch.to_string_lossy(), "it");
            return Err(Failure::bad_input(format!("that is no patch that git can read: {complaint}")));
        }
        // Each: lines added, a tab, lines removed, a tab, the name.
        let entries = said.out.split(|byte| *byte == 0).filter_map(|entry| entry.splitn(3, |byte| *byte == b'\t').nth(2));
        names.extend(entries.map(|name| PathBuf::from(OsStr::from_bytes(name))));
    }
    Ok(names)
}

/// What is there of a path below `top`, by no way over a symbolic link.
pub(super) fn is_there(top: &Path, path: &Path) -> bool {
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || path.as_os_str().is_empty() {
        return false;
    }
    let mut place = top.to_owned();
    let mut above = path.components().peekable();
    while let Some(part) = above.next() {
        place.push(part);
        let Ok(found) = place.symlink_metadata() else { return false };
        match above.peek() {
            Some(_) if !found.is_dir() => return false,
            Some(_) => {}
            // Of directories only a repository within this one has a state.
            None if found.is_dir() => return place.join(".git").exists(),
            None => return found.is_file() || found.is_symlink(),
        }
    }
    false
}

/// What stands in the way of these paths, that git would notice only when it has begun to write: links and files where directories must be, and
/// directories where files must be.
pub(super) fn obstacles(top: &Path, names: &BTreeSet<PathBuf>) -> Vec<Conflict> {
    let found = names
        .iter()
        .filter_map(|name| Some(Conflict { reason: obstacle(top, name, names)?, path: name.to_string_lossy().into_owned() }));
    found.collect()
}

fn obstacle(top: &Path, name: &Path, names: &BTreeSet<PathBuf>) -> Option<&'static str> {
    for above in name.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
        // What the patch itself changes is compared by git.
        match top.join(above).symlink_metadata() {
            Ok(found) if found.is_symlink() && !names.contains(above) => return Some("it lies beyond a symbolic link"),
            Ok(found) if !found.is_dir() && !names.contains(above) => return Some("a file is in the place of its directory"),
            Ok(_) | Err(_) => {}
        }
    }
    let place = top.join(name);
    let is_directory = place.symlink_metadata().is_ok_and(|found| found.is_dir()) && !place.join(".git").exists();
    (is_directory && !is_emptied(top, name, names, 0)).then_some("a directory is in its place")
}

/// Whether the patch names all that is in a directory.
fn is_emptied(top: &Path, directory: &Path, names: &BTreeSet<PathBuf>, depth: usize) -> bool {
    let Ok(mut entries) = top.join(directory).read_dir() else { return false };
    depth < DEEPEST
        && entries.all(|entry| {
            entry.is_ok_and(|entry| {
                let path = directory.join(entry.file_name());
                let is_directory = entry.file_type().is_ok_and(|found| found.is_dir());
                names.contains(&path) || (is_directory && is_emptied(top, &path, names, depth + 1))
            })
        })
}
