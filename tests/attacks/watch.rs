//! Sees every change of the files of an arena that must not change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files, and what is known of each.
pub(crate) type State = BTreeMap<PathBuf, String>;

/// Everything about the files below a directory that an attack could change.
pub(crate) fn everything(below: &Path) -> State {
    let mut state = State::new();
    walk(below, &mut |path| {
        let Ok(about) = fs::symlink_metadata(path) else { return };
        let text = if about.is_file() { fs::read(path).unwrap_or_default() } else { Vec::new() };
        let size = if about.is_dir() { 0 } else { about.size() };
        let numbers = (about.mode(), about.uid(), about.gid(), about.nlink(), size, about.mtime(), about.mtime_nsec());
        state.insert(path.to_owned(), format!("{numbers:?} {}", String::from_utf8_lossy(&text)));
    });
    state
}

/// The files of a workspace that decide what programs outside do: the settings of git and of agents, wherever they lie.
pub(crate) fn deciding(workspace: &Path) -> State {
    let mut state = State::new();
    walk(workspace, &mut |path| {
        let Ok(below) = path.strip_prefix(workspace) else { return };
        if decides(below) {
            let text = fs::read(path).unwrap_or_default();
            state.insert(below.to_owned(), String::from_utf8_lossy(&text).into_owned());
        }
    });
    state
}

fn decides(path: &Path) -> bool {
    let names: Vec<String> = path.iter().map(|name| name.to_string_lossy().to_lowercase()).collect();
    let of_git = |name: &String| ["config", "config.worktree", "hooks", "commondir"].contains(&name.as_str());
    let is_settings = |name: &String| [".codex", ".agents", ".capstan"].contains(&name.as_str());
    let in_git = names.iter().position(|name| name == ".git").is_some_and(|at| {
        let rest = &names[at + 1..];
        rest.first().is_some_and(of_git) || rest.first().is_some_and(|name| name == "modules") && rest.iter().any(of_git)
    });
    in_git || names.iter().any(is_settings)
}

fn walk(below: &Path, see: &mut dyn FnMut(&Path)) {
    see(below);
    let Ok(entries) = fs::read_dir(below) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), see);
        } else {
            see(&entry.path());
        }
    }
}

/// What differs, in words.
pub(crate) fn differences(before: &State, after: &State) -> Vec<String> {
    let mut found = Vec::new();
    for (path, was) in before {
        match after.get(path) {
            None => found.push(format!("{} is gone", path.display())),
            Some(is) if is != was => found.push(format!("{} changed", path.display())),
            Some(_) => {}
        }
    }
    found.extend(after.keys().filter(|path| !before.contains_key(*path)).map(|path| format!("{} is new", path.display())));
    found
}
