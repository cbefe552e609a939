//! What cannot be done is told in a sentence.

use super::Stand;
use capstan_tests::capstan::{Capstan, Home, Run};
use regex::Regex;
use std::fmt::Write as _;
use std::path::Path;

/// A command line with what became of it, without what differs from one run to the next.
fn told(args: &[&str], run: &Run, root: &Path) -> String {
    let code = run.status.code().unwrap_or(-1);
    let mut text = String::new();
    let _ = write!(text, "$ capstan sessions {}\n{}{}[{code}]\n\n", args.join(" "), run.stdout, run.stderr);
    let text = text.replace(&root.display().to_string(), "[ROOT]");
    Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern").replace_all(&text, "ID").into_owned()
}

#[test]
fn without_a_coordinator_it_is_said_what_to_start() {
    let home = Home::new();
    let mut all = String::new();
    let lines: [&[&str]; 12] = [
        &["list"],
        &["list", "--coordinator", "unix:///nowhere/at/all.sock"],
        &["list", "--node", "127.0.0.1:1"],
        &["list", "--node", "nonsense"],
        &["list", "--node-name", "No Name"],
        &["list", "--json", "-o", "wide"],
        &["logs", "not-an-id"],
        &["logs", "0198", "--raw", "--clean"],
        &["kill", "0198", "--signal", "NONE"],
        &["attach", "0198", "--detach-keys", "ctrl-1"],
        &["attach"],
        &["list", "--thread", "xyz"],
    ];
    for args in lines {
        let run = Capstan::new(&home).arg("sessions").args(args.iter().copied()).run();
        all += &told(args, &run, home.root());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn with_a_coordinator_it_is_said_what_is_not_there() {
    let stand = Stand::on_terminal("echo ready; sleep 1000");
    let id = stand.id();
    let mut all = String::new();
    let lines: [&[&str]; 6] = [
        &["logs", "ffffffff"],
        &["attach", &id],
        &["logs", &id, "--from", "999999"],
        &["kill", "ffffffff-ffff"],
        &["logs", &id, "--thread", "ffff"],
        &["logs", &id, "--cast", "/nowhere/at/all.cast"],
    ];
    for args in lines {
        let run = stand.sessions().args(args.iter().copied()).run();
        all += &told(args, &run, stand.home.root());
    }
    insta::assert_snapshot!(all);
    // The moment in which both were started is the beginning of both.
    let several = stand.run(["logs", &id[..4]]);
    several.assert_code(2);
    assert!(several.stderr.contains("is the beginning of 2 sessions: "), "{several}");
    stand.run(["logs", &id.to_uppercase()]).assert_code(0);
    stand.end();
}
