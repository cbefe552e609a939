//! The client goes: the turn does not, unless it is asked to.

use super::{Daemon, GROW, SOON, assert_once};
use crate::scripted::{command, contains, says, step};
use crate::stored::Stored;
use capstan_tests::capstan::Capstan;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;

/// A turn that waits for a file.
fn waiting() -> Vec<Value> {
    let wait = command("wait", "echo begun > began; until [ -e go ]; do sleep 0.05; done; echo went");
    vec![step([], [wait]), step([contains("wait", "went")], [says("done")])]
}

fn follow(daemon: &Daemon, thread: &Value, more: &[&str]) -> Capstan {
    let thread = thread["thread_id"].as_str().expect("an id");
    Capstan::new(&daemon.home).args(["threads", "follow", "--json", thread]).args(more.iter().copied())
}

#[test]
fn a_killed_client_does_not_touch_its_turn_which_can_be_followed_again() {
    let daemon = Daemon::playing(&waiting());
    let client = daemon.exec().start();
    let thread = client.until_line("a thread", |line| line["type"] == "thread.started");
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    let _ = client.crash();
    let follower = follow(&daemon, &thread, &[]).start();
    follower.until_line("the command", |line| line["type"] == "item.started");
    fs::write(daemon.file("go"), "").expect("a file can be written");
    let run = follower.wait();
    run.assert_code(0);
    assert_once(
        &run,
        &[
            "thread.started",
            "turn.started",
            "item.started command_execution",
            "item.completed command_execution",
            "item.completed agent_message",
            "turn.completed",
        ],
    );
    // Later it is told again, from where one likes.
    let later = follow(&daemon, &thread, &["--after", "6"]).run();
    later.assert_code(0);
    assert_once(&later, &["item.completed command_execution", "item.completed agent_message", "turn.completed"]);
    assert_once(&follow(&daemon, &thread, &["--after", "1000"]).run(), &[]);
}

#[test]
fn a_thread_that_is_none_is_told() {
    let daemon = Daemon::playing(&waiting());
    for (id, words) in [("nonsense", "nonsense"), ("01a2041a-786e-72c4-90bb-9fd37f613e8b", "there is no thread `01a2041a")] {
        let run = Capstan::new(&daemon.home).args(["threads", "follow", id]).run();
        run.assert_code(2);
        assert!(run.stderr.contains(words), "{run}");
    }
}

#[test]
fn an_interrupted_client_interrupts_its_turn_and_waits_for_its_end() {
    let daemon = Daemon::playing(&[step([], [command("grow", GROW)]), step([contains("grow", "Process")], [says("done")])]);
    for (signal, code) in [(Signal::Interrupt, 1), (Signal::Terminate, 143)] {
        let client = daemon.exec().start();
        client.until_line("a command", |line| line["type"] == "item.started");
        daemon.until_it_grows();
        client.send(signal);
        let run = client.wait();
        run.assert_code(code);
        assert_eq!(run.stderr, "error: the turn was interrupted\n", "{run}");
        assert_eq!(run.kinds().last().map(String::as_str), Some("turn.failed"), "{run}");
        let stored = Stored::read(&daemon.home);
        assert_eq!(stored.threads[0].kinds().last().map(String::as_str), Some("turn interrupted"));
        fs::remove_file(daemon.file("growing")).expect("it was there");
    }
    let size = || fs::metadata(daemon.file("growing")).map_or(0, |file| file.len());
    assert_eq!(size(), 0, "a session of an interrupted turn goes on");
}

#[test]
fn who_only_looks_may_go_without_a_word() {
    let daemon = Daemon::playing(&waiting());
    let client = daemon.exec().start();
    let thread = client.until_line("a thread", |line| line["type"] == "thread.started");
    let follower = follow(&daemon, &thread, &[]).start();
    follower.until_line("the command", |line| line["type"] == "item.started");
    follower.send(Signal::Interrupt);
    follower.wait().assert_code(0);
    fs::write(daemon.file("go"), "").expect("a file can be written");
    client.wait().assert_code(0);
}
