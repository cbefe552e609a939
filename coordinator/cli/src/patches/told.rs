//! What people are told of a patch that was applied, or was not.

use super::apply::{Applied, How};
use super::judge::Conflict;
use crate::failure::Failure;
use crate::render::text;

/// The most files that are named.
const NAMED: usize = 40;

/// What was done, for standard output.
#[must_use]
pub fn told(applied: &Applied, how: How) -> String {
    let Applied { changed, submodules, conflicts, marked, .. } = applied;
    let mut told = match (changed.len(), how.only_check) {
        (0, _) if conflicts.is_empty() => "nothing to apply: all of it is here already\n".to_owned(),
        (0, _) => String::new(),
        (files, true) => format!("the patch would change {}:\n", text::counted(files, "file")),
        (files, false) => format!("changed {}:\n", text::counted(files, "file")),
    };
    let has_marks = |name: &str| *marked && conflicts.iter().any(|conflict| conflict.path == name);
    for (letter, name) in changed.iter().take(NAMED) {
        let letter = if has_marks(name) { 'U' } else { *letter };
        told.push_str(&format!("  {letter} {}\n", text::line(name)));
    }
    if changed.len() > NAMED {
        told.push_str(&format!("  … and {} more\n", changed.len() - NAMED));
    }
    for name in submodules {
        told.push_str(&format!("  left alone, because it is a repository of its own: {}\n", text::line(name)));
    }
    told
}

/// Why it was not done, or not wholly.
#[must_use]
pub fn untold(applied: &Applied, how: How) -> Option<Failure> {
    let Applied { conflicts, marked, mergeable, .. } = applied;
    if conflicts.is_empty() {
        return None;
    }
    let (files, list) = (text::counted(conflicts.len(), "file"), listed(conflicts));
    Some(if *marked && !how.only_check {
        Failure::failed(format!("{files} could not be merged: {list}"))
            .hint("edit the places between <<<<<<< and >>>>>>>; files without them are as they were here")
    } else {
        let failure = Failure::failed(format!("nothing was changed: the patch does not fit {files}: {list}"));
        match *mergeable || *marked {
            true => {
                failure.hint("with --3way all that fits is applied, and the rest is left in the files between conflict marks")
            }
            false => failure
                .hint("bring these files to what they were when the thread began, and try again; or apply the patch by hand"),
        }
    })
}

/// The files with the reasons.
pub(super) fn listed(conflicts: &[Conflict]) -> String {
    let one = |conflict: &Conflict| format!("{} ({})", conflict.path, conflict.reason);
    let mut list = conflicts.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", ");
    if conflicts.len() > NAMED {
        list.push_str(&format!(" and {} more", conflicts.len() - NAMED));
    }
    list
}
