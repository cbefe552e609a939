//! How `run` stays with its command: what it passes on, when it ends it, and what it proves.

use crate::client::wait_until;
use crate::session::{lives, marker, runner, running, send};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

fn started(script: &str, flags: &[&str]) -> (Child, String) {
    let mut child = runner("run")
        .args(flags)
        .args(["--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // What comes behind the first line is left for whoever asks for all of it.
    let mut reader = BufReader::with_capacity(1, child.stdout.as_mut().unwrap());
    reader.read_line(&mut line).unwrap();
    (child, line)
}

fn proof(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn signals_are_passed_on_to_the_command() {
    let script = "trap 'echo told; exit 3' USR1; echo ready; while :; do sleep 0.02; done";
    let (child, line) = started(script, &[]);
    assert_eq!(line, "ready\n");
    assert_eq!(send(child.id(), libc::SIGUSR1), 0);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"told\n"[..]));
}

#[test]
fn a_command_that_does_not_go_when_it_is_asked_to_is_ended() {
    let name = marker();
    let (child, _) = started(&format!("trap '' TERM; echo ready; sleep 1000; : {name}"), &["--at-most", "landlock"]);
    assert_eq!(send(child.id(), libc::SIGTERM), 0);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(137));
    assert_eq!(running(&name), 0);
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    for level in ["landlock", "full"] {
        let (child, line) = started("sleep 1000 >/dev/null 2>&1 & echo $!", &["--at-most", level]);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{level}");
        if level == "landlock" {
            let left: u32 = line.trim().parse().unwrap();
            wait_until("what was left has gone", || !lives(left));
        }
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended_and_the_limit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proof");
    let output = runner("run")
        .args(["-l", "total_time=300ms", "--proof", file.to_str().unwrap(), "--", "sleep", "1000"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("limit reached") && output.status.code() != Some(0), "{told}");
    assert_eq!(proof(&file)["end"], json!({"limit": "total"}), "{}", proof(&file));
}

#[test]
fn a_command_that_counts_for_too_long_is_ended_and_the_limit_is_named() {
    let output = runner("run").args(["-l", "cpu_time=1s", "--", "sh", "-c", "while :; do :; done"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("limit reached"), "{told}");
}

#[test]
fn a_proof_that_cannot_be_written_means_that_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let work = dir.path().to_str().unwrap();
    let proof = ["--proof", "/no/such/file"];
    let touch = ["--", "touch", made.to_str().unwrap()];
    let output = runner("run").args(["-s", "workspace-write", "-C", work]).args(proof).args(touch).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8(output.stderr).unwrap().contains("write the proof"));
    assert!(!made.exists());
}

#[test]
fn what_was_refused_is_in_the_proof_instead_of_what_was_enforced() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proof");
    let output = runner("run").args(["--proof", file.to_str().unwrap(), "--", "no-such-program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(127));
    assert!(proof(&file)["refused"].as_str().unwrap().contains("no-such-program"));
}

#[test]
fn what_the_network_refused_is_said_as_it_happens_and_proven_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proof");
    let ask = "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3";
    let output =
        runner("run").args(["-n", "crates.io", "--proof", file.to_str().unwrap(), "--", "bash", "-c", ask]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("connect to example.com:443 refused"), "{told}");
    assert_eq!(proof(&file)["denials"][0]["act"], "connect to example.com:443");
}
