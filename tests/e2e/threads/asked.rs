//! `capstan threads queue` and `capstan threads interrupt`, as people read them.

use super::steered::{Scene, waits};
use super::threads;
use capstan_tests::capstan::{Home, Run};
use capstan_tests::responses_server::{Answer, Script};
use regex::Regex;
use std::fmt::Write as _;
use std::path::Path;

/// A command line with what became of it, without what differs from one run to the next.
fn told(args: &[&str], run: &Run, root: &Path) -> String {
    let code = run.status.code().unwrap_or(-1);
    let mut text = String::new();
    let _ = write!(text, "$ capstan threads {}\n{}{}[{code}]\n\n", args.join(" "), run.stdout, run.stderr);
    let text = text.replace(&root.display().to_string(), "[ROOT]");
    Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern").replace_all(&text, "ID").into_owned()
}

#[test]
fn what_queue_and_interrupt_take_is_told_and_what_they_cannot_do() {
    let home = Home::new();
    let mut all = String::new();
    let lines: [&[&str]; 8] = [
        &["queue", "--help"],
        &["interrupt", "--help"],
        &["queue"],
        &["queue", "0198"],
        &["queue", "0198", " "],
        &["queue", "0198", "Go on."],
        &["interrupt"],
        &["interrupt", "0198"],
    ];
    for args in lines {
        all += &told(args, &threads(&home, args), home.root());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_coordinator_says_what_it_did_with_a_turn() {
    let script = Script::new().then(waits()).then_times(2, &Answer::saying("done"));
    let scene = Scene::playing(script);
    let (root, id) = (scene.stage.home.root(), scene.thread.clone());
    let mut all = String::new();
    let lines: [&[&str]; 6] = [
        &["queue", &id, "Second."],
        &["queue", &id, "Third."],
        &["queue", "ffffffff", "Nowhere."],
        &["interrupt", "ffffffff"],
        &["interrupt", &id, "--queued", "--kill"],
        &["interrupt", &id],
    ];
    for (number, args) in lines.into_iter().enumerate() {
        all += &told(args, &threads(&scene.stage.home, args), root);
        if number == 4 {
            assert_eq!(scene.until_ended(1), ["turn interrupted"]);
        }
    }
    insta::assert_snapshot!(all);
    assert_eq!(scene.queued(), [""; 0]);
}
