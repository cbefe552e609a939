//! Processes are started in four places only, so that nothing runs outside a sandbox by accident.

use crate::repository::{TextFile, assert_none, rust_files};
use crate::rust_source::{lines_with, split, without_test_items};
use regex::Regex;

/// Where a process may be started: the node's runner client, the sandbox runner, the command that brings up daemons of our own with their
/// etcd and network, and what runs git for the person who gave a command. The last two run nothing that a model asked for.
const ALLOWED: [&str; 4] = [
    "agent-node/src/session/runner.rs",
    "sandbox-runner/src/",
    "coordinator/cli/src/commands/cluster/up/process.rs",
    "coordinator/cli/src/local_program.rs",
];

fn complaints(files: &[TextFile]) -> Vec<String> {
    let start = Regex::new(r"\bprocess::(Command\b|\{[^}]*\bCommand\b)|\bposix_spawn|\blibc::(fork|vfork|clone|exec\w+)\b")
        .expect("the expression is valid");
    let mut found = Vec::new();
    let watched = files.iter().filter(|file| !file.is_for_tests());
    for file in watched.filter(|file| !ALLOWED.iter().any(|place| file.path.starts_with(place))) {
        let lines = lines_with(&without_test_items(&split(&file.text).code), &start).into_iter();
        found.extend(lines.map(|line| format!("{}:{line}: starts a process outside {}", file.path, ALLOWED.join(", "))));
    }
    found
}

#[test]
fn a_process_started_elsewhere_is_found() {
    let bad = [
        "fn a() { std::process::Command::new(\"ls\"); }",
        "use std::process::{Command, Stdio};",
        "use tokio::process::Command;",
        "unsafe { libc::fork() };",
    ];
    for text in bad {
        assert_eq!(complaints(&[TextFile::example("coordinator/src/a.rs", text)]).len(), 1, "{text}");
        assert!(complaints(&[TextFile::example("sandbox-runner/src/a.rs", text)]).is_empty());
    }
    let good = "use clap::Command;\n// std::process::Command\n#[cfg(test)]\nmod tests { use std::process::Command; }";
    assert!(complaints(&[TextFile::example("coordinator/src/a.rs", good)]).is_empty());
}

#[test]
fn processes_are_started_in_four_places_only() {
    let files = rust_files();
    assert_none(&complaints(&files));
    for place in ALLOWED {
        assert!(
            files.iter().any(|file| file.path.starts_with(place)),
            "`{place}` is allowed to start processes, but is not there"
        );
    }
}
