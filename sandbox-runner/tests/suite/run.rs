//! The `run` verb and the command line.

use crate::session::runner;
use std::io::Write;
use std::process::{Output, Stdio};

fn run(args: &[&str]) -> Output {
    runner("run").args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_command_runs_with_the_callers_streams_environment_and_exit_code() {
    let mut child = runner("run")
        .args(["--env", "MARK", "--", "sh", "-c", "cat; echo $MARK$HIDDEN; echo err >&2; exit 9"])
        .env("HIDDEN", "hidden")
        .env("MARK", "mark")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"in\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice(), output.status.code()),
        (&b"in\nmark\n"[..], &b"err\n"[..], Some(9))
    );
}

#[test]
fn what_did_not_exit_has_the_shells_codes() {
    assert_eq!(run(&["--", "sh", "-c", "kill -9 $$"]).status.code(), Some(137));
    let missing = run(&["--", "no-such-program"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(said(&missing).contains("cannot run `no-such-program`"), "{}", said(&missing));
    assert_eq!(run(&["--", "/etc"]).status.code(), Some(126));
    assert_eq!(run(&["-C", "/no/such", "--", "true"]).status.code(), Some(2), "what is asked for makes no sense");
    assert_eq!(run(&["-s", "workspace-write", "--writable", "/no/such", "--", "true"]).status.code(), Some(125));
}

#[test]
fn the_mode_decides_what_can_be_written() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (work, more) = (dir.path().join("work"), dir.path().join("more"));
    std::fs::create_dir(&work).unwrap();
    std::fs::create_dir(&more).unwrap();
    let writes = |flags: &[&str], file: &str| {
        let script = format!("echo x > {file}");
        run(&[flags, &["-C", work.to_str().unwrap(), "--", "sh", "-c", &script]].concat()).status.success()
    };
    let write = ["-s", "workspace-write"];
    assert!(!writes(&[], "new"));
    assert!(writes(&write, "new"));
    assert!(!writes(&write, "../more/new"));
    assert!(writes(&[&write[..], &["--writable", more.to_str().unwrap()]].concat(), "../more/new"));
    assert!(!writes(&write, "../new"));
    assert!(writes(&["-s", "danger-full-access"], "../new"));
}

#[test]
fn a_command_line_that_means_nothing_is_one_sentence_and_exit_code_2() {
    for (verb, args) in
        [("walk", &[][..]), ("hold", &["x"]), ("run", &[]), ("run", &["true"]), ("run", &["-s", "open", "--", "true"])]
    {
        let output = runner(verb).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb} {args:?}");
        assert_eq!(said(&output).lines().count(), 1, "{verb} {args:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_and_version_are_given() {
    for (flag, word) in [("--help", "workspace-write"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let output = runner(flag).output().unwrap();
        assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains(word));
    }
}
