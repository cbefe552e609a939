//! The files of a thread's workspace, by `capstan files`.

use super::{Daemon, SOON};
use crate::scripted::{says, step};
use capstan_tests::capstan::{Capstan, Run};
use capstan_tests::process::Signal;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;

fn files(daemon: &Daemon, args: &[&str]) -> Run {
    Capstan::new(&daemon.home).arg("files").args(args.iter().copied()).run()
}

/// A daemon with a thread that rests, and some files.
fn place() -> (Daemon, String) {
    let daemon = Daemon::playing(&[step([], [says("hello")])]);
    let run = daemon.exec().run();
    run.assert_code(0);
    let thread = run.lines()[0]["thread_id"].as_str().expect("a thread").to_owned();
    fs::create_dir_all(daemon.file("src/deep")).expect("a directory");
    fs::write(daemon.file("src/deep/a.rs"), "fn one() {}\n\u{1b}[31mred\n").expect("a file");
    fs::write(daemon.file("plain.txt"), "one\ntwo\n").expect("a file");
    fs::write(daemon.file("odd \u{1b}]0;x\u{7}\nname"), "odd\n").expect("a file");
    (daemon, thread)
}

#[test]
fn files_of_a_thread_are_listed_printed_and_found() {
    let (daemon, thread) = place();
    let listed = files(&daemon, &["ls", &thread, "src", "--depth", "9"]);
    listed.assert_code(0);
    assert_eq!(listed.stdout, "src/deep/\nsrc/deep/a.rs\n");
    let all = files(&daemon, &["ls", &thread]);
    assert!(!all.stdout.contains('\u{1b}') && all.stdout.contains("plain.txt"), "{all}");
    let json = files(&daemon, &["ls", &thread, "--json"]);
    let entries: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(entries.iter().any(|entry| entry["path"] == "odd \u{1b}]0;x\u{7}\nname"), "{json}");
    let few = files(&daemon, &["ls", &thread, "--depth", "9", "--limit", "1"]);
    assert!(few.stderr.contains("there is more: raise --limit or --depth, or go on with --after"), "{few}");
    assert_eq!(files(&daemon, &["cat", &thread, "plain.txt"]).stdout, "one\ntwo\n");
    assert_eq!(files(&daemon, &["cat", &thread, "plain.txt", "--offset", "4", "--bytes", "2"]).stdout, "tw");
    // Not to a terminal: byte for byte.
    assert!(files(&daemon, &["cat", &thread, "src/deep/a.rs"]).stdout.contains("\u{1b}[31mred"));
    let found = files(&daemon, &["search", &thread, "one|red"]);
    assert_eq!(found.stdout, "plain.txt:1:one\nsrc/deep/a.rs:1:fn one() {}\nsrc/deep/a.rs:2:red\n");
    files(&daemon, &["search", &thread, "nothing like this"]).assert_code(1);
    assert_eq!(files(&daemon, &["search", &thread, "one", "-c", "-g", "*.rs"]).stdout, "src/deep/a.rs:1\n");
}

#[test]
fn a_file_is_written_over_only_as_it_was_read_and_nothing_leads_out() {
    let (daemon, thread) = place();
    fs::write(daemon.file("new"), "from here").expect("a file");
    let from = daemon.file("new");
    let from = from.to_str().expect("a name");
    let put = |rest: &[&str]| files(&daemon, &[&["put", &thread, "made/by/put.txt", "--from", from], rest].concat());
    put(&[]).assert_code(2);
    let made = put(&["--parents"]);
    made.assert_code(0);
    assert_eq!(made.stdout, "made/by/put.txt: made, 9 B\n");
    let refused = put(&[]);
    assert!(!refused.status.success() && refused.stderr.contains("`made/by/put.txt` is there already"), "{refused}");
    let facts: Value =
        serde_json::from_str(&files(&daemon, &["cat", &thread, "made/by/put.txt", "--json"]).stdout).expect("JSON");
    let hash = facts["hash"].as_str().expect("a hash").to_owned();
    fs::write(daemon.file("made/by/put.txt"), "changed").expect("a file");
    let lost = put(&["--expect", &hash]);
    assert!(!lost.status.success() && lost.stderr.contains("is not as it was read"), "{lost}");
    put(&["--replace"]).assert_code(0);
    symlink("/etc", daemon.file("out")).expect("a link");
    for (path, said) in
        [("out/passwd", "a link leads out of the workspace"), ("../x", "without going up"), ("none", "there is no such file")]
    {
        let refused = files(&daemon, &["cat", &thread, path]);
        refused.assert_code(2);
        assert!(refused.stderr.contains(said), "{refused}");
    }
    for bad in
        [&["search", &thread, "("][..], &["put", &thread, "x", "--mode", "999"], &["put", &thread, "x", "--expect", "beef"]]
    {
        files(&daemon, bad).assert_code(2);
    }
}

#[test]
fn changes_are_told_until_somebody_looks_away() {
    let (daemon, thread) = place();
    let watching = Capstan::new(&daemon.home).args(["files", "watch", &thread, "src", "--json"]).start();
    // It says nothing before something changes, so that is done until it is told.
    let line = wait::until(SOON, "a change that is told", || {
        fs::write(daemon.file("src/changed"), "x").expect("a file");
        watching.stdout().lines().next().map(str::to_owned)
    });
    let change: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(change["path"], "src/changed");
    watching.send(Signal::Interrupt);
    watching.wait().assert_code(0);
}
