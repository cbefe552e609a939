//! Which files of a work tree are uploaded: those that git tracks and those that are new, and the same of repositories within it.

use crate::failure::Failure;
use crate::local_git::{Git, Input};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How deep repositories may lie in each other.
const DEEPEST: usize = 8;
/// The most files.
const MOST: usize = 1_000_000;

/// Paths from the top, each with a NUL behind it. `git` obeys what the person's configuration says of what is ignored.
///
/// # Errors
/// Git fails, or there are too many.
pub(super) fn listed(git: &Git, top: &Path) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    add(git, top, b"", 0, &mut all)?;
    let count = all.iter().filter(|byte| **byte == 0).count();
    if count > MOST {
        let sentence = format!("{} has {count} files that are not ignored, and at most {MOST} are uploaded", top.display());
        return Err(Failure::bad_input(sentence).hint("name what is not needed in .gitignore"));
    }
    Ok(all)
}

fn add(git: &Git, top: &Path, prefix: &[u8], depth: usize, all: &mut Vec<u8>) -> Result<(), Failure> {
    let at = top.join(OsStr::from_bytes(prefix));
    let out = git.within(&at).ask(["ls-files", "-z", "--cached", "--others", "--exclude-standard"], Input::Nothing)?;
    for name in out.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        // A repository that is new has a slash behind it; one that is a submodule has not.
        let plain = name.strip_suffix(b"/").unwrap_or(name);
        let path = [prefix, plain].concat();
        let place = top.join(OsStr::from_bytes(&path));
        let is_repository = place.symlink_metadata().is_ok_and(|found| found.is_dir()) && place.join(".git").exists();
        match is_repository {
            true if depth < DEEPEST => add(git, top, &[&path[..], b"/"].concat(), depth + 1, all)?,
            true => {}
            false => all.extend([&path[..], b"\0"].concat()),
        }
    }
    Ok(())
}
