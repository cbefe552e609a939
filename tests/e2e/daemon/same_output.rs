//! Against a coordinator of its own a command prints the same as with one inside.

use super::{Daemon, exec, settled_text, workspace};
use crate::scripted::{command, contains, exited, patch, says, step, write};
use crate::two_processes::settled;
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::git::Repository;
use serde_json::Value;
use std::fs;

const PATCH: &str = "*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** Add File: b.txt\n+new\n*** End Patch";

const SCHEMA: &str =
    r#"{"type":"object","properties":{"done":{"type":"boolean"}},"required":["done"],"additionalProperties":false}"#;

fn steps() -> Vec<Value> {
    vec![
        step([], [says("I look."), command("read", "cat a.txt; pwd")]),
        step([contains("read", "one\n")], [patch("patch", PATCH)]),
        step([contains("patch", "M a.txt\nA b.txt")], [command("fail", "cat a.txt b.txt; exit 3")]),
        step([contains("fail", "two\nnew\n"), exited("fail", 3)], [says("{\"done\":true}")]),
    ]
}

/// The script is too short, so the turn fails.
fn misfit() -> Vec<Value> {
    vec![step([], [command("read", "cat a.txt")])]
}

fn home(steps: &[Value]) -> Home {
    let home = Home::new();
    let _ = Repository::with_files(&workspace(&home), &[("a.txt", "one\n")]);
    write(home.root(), steps);
    home
}

fn with_files(exec: Capstan, home: &Home) -> Capstan {
    let (schema, last) = (home.root().join("schema.json"), home.root().join("last"));
    fs::write(&schema, SCHEMA).expect("a file can be written");
    exec.arg("--output-schema").arg(schema).arg("-o").arg(last)
}

fn embedded(exec: Capstan, home: &Home) -> Capstan {
    exec.arg("--script").arg(home.root().join("script.json"))
}

fn for_people(home: &Home) -> Capstan {
    let exec = Capstan::new(home).args(["exec", "-s", "workspace-write", "-m", "scripted", "Do it."]);
    exec.in_dir(&workspace(home))
}

/// The lines, the errors, the code and the last message.
fn left(run: &Run, home: &Home) -> (Vec<Value>, String, Option<i32>, Option<String>) {
    let last = fs::read_to_string(home.root().join("last")).ok();
    (settled(run.lines(), home.root()), settled_text(&run.stderr, home.root()), run.status.code(), last)
}

#[test]
fn the_lines_the_code_and_the_files_are_the_same_over_a_unix_socket() {
    let alone = home(&steps());
    let one = embedded(with_files(exec(&alone), &alone), &alone).run();
    let daemon = Daemon::start(home(&steps()), &[]);
    let other = with_files(daemon.exec(), &daemon.home).run();
    other.assert_code(0);
    assert_eq!(left(&other, &daemon.home), left(&one, &alone));
    assert_eq!(fs::read_to_string(daemon.file("b.txt")).expect("the file was written"), "new\n");
}

#[test]
fn the_lines_and_the_code_are_the_same_over_tcp_by_the_environment() {
    let alone = home(&steps());
    let one = embedded(exec(&alone), &alone).run();
    let daemon = Daemon::start(home(&steps()), &["--listen", "127.0.0.1:0"]);
    let token = fs::read_to_string(daemon.token_file.as_ref().expect("every user of this host can connect")).expect("a token");
    let by_environment = exec(&daemon.home).env("CAPSTAN_COORDINATOR", &daemon.places[1]);
    let other = by_environment.env("CAPSTAN_COORDINATOR_TOKEN", token.trim()).run();
    other.assert_code(0);
    assert_eq!(left(&other, &daemon.home), left(&one, &alone));
    assert!(!daemon.home.path().join("node/0").exists(), "a node was embedded in the client");
}

#[test]
fn what_people_read_is_the_same() {
    let alone = home(&steps());
    let one = embedded(for_people(&alone), &alone).run();
    let daemon = Daemon::start(home(&steps()), &[]);
    let other = for_people(&daemon.home).args(["--coordinator", daemon.socket()]).run();
    let read = |run: &Run, home: &Home| (run.stdout.clone(), settled_text(&run.stderr, home.root()), run.status.code());
    assert_eq!(read(&other, &daemon.home), read(&one, &alone));
    assert!(other.stderr.contains("changed 2 files: 2 added, 1 removed"), "the diff is counted: {other}");
}

#[test]
fn a_turn_that_fails_fails_the_same() {
    let alone = home(&misfit());
    let one = embedded(exec(&alone), &alone).run();
    one.assert_code(1);
    let daemon = Daemon::start(home(&misfit()), &[]);
    let other = daemon.exec().run();
    assert_eq!(left(&other, &daemon.home), left(&one, &alone));
}

#[test]
fn what_a_thread_is_refused_for_is_told_the_same() {
    let (alone, daemon) = (home(&steps()), Daemon::start(home(&steps()), &[]));
    let refused = |exec: Capstan, home: &Home| {
        let run = exec.args(["-C", "/no/such/place"]).run();
        (run.stdout.clone(), settled_text(&run.stderr, home.root()), run.status.code())
    };
    let (_, said, code) = refused(daemon.exec(), &daemon.home);
    assert!(code == Some(2) && said.contains("/no/such/place"), "{said}");
    assert_eq!(refused(embedded(exec(&alone), &alone), &alone).2, code);
}
