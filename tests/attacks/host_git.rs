//! What a person does next, outside: git in every repository of the workspace. Whatever runs then was planted.

use crate::arena::Arena;
use capstan_tests::process::command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Uses git everywhere in the workspace, with the rights of whoever owns it.
pub(crate) fn visit(arena: &Arena<'_>) {
    let workspace = arena.workspace();
    let repositories = ["", "vendor/sub", "vendor/module", "planted", "pkg/deep"].map(|name| workspace.join(name));
    for repository in repositories.iter().filter(|place| place.is_dir()) {
        for line in [
            "status --short",
            "diff",
            "log -1 --oneline",
            "commit -q --allow-empty -m visited",
            "checkout -q -b visited",
            "fetch -q --all",
        ] {
            git(arena, repository, line);
        }
    }
}

fn git(arena: &Arena<'_>, place: &Path, line: &str) {
    let mut words = arena.way.as_user();
    words.extend(
        ["timeout", "10", "git", "-c", "safe.directory=*", "-c", "user.name=a", "-c", "user.email=a@b"].map(str::to_owned),
    );
    words.extend(line.split(' ').map(str::to_owned));
    let home: PathBuf = arena.beside("host-home");
    let _new = fs::create_dir(&home);
    let mut git = command(&words[0]);
    git.args(&words[1..]).current_dir(place).env("HOME", home).env("GIT_TERMINAL_PROMPT", "0");
    // It may well fail: the repository may be in ruins, and that harms nobody.
    let _done = git.stdout(Stdio::null()).stderr(Stdio::null()).status();
}
