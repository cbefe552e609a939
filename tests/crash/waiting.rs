//! What was acknowledged of a turn that has not begun, or was said to one that runs, when its coordinator is killed.

use crate::house::{Node, TURN, killed};
use crate::living::in_a_file;
use capstan_tests::capstan::Running;
use capstan_tests::wait;
use capstan_types::history::Entry;

/// Kills a coordinator as it is.
fn kill(daemon: Running) {
    let run = daemon.crash();
    assert_eq!(run.status.code(), None, "it was not killed: {run}");
}

#[test]
fn turns_that_were_acknowledged_as_waiting_run_in_their_order_after_the_death_of_their_coordinator() {
    let node = Node::start();
    let (daemon, living) = in_a_file(&node, 2);
    for (prompt, said) in [("Second.", "waits for the one that runs"), ("Third.", "waits for 2 others")] {
        let queued = living.threads("queue", &[prompt]);
        queued.assert_code(0);
        assert!(queued.stdout.contains(said), "{queued}");
    }
    kill(daemon);
    let daemon = living.trial.coordinator(None);
    living.go();
    assert_eq!(living.said_once_ended(3), ["Do it.", "Second.", "Third."]);
    living.assert_ran_once();
    living.over(daemon).assert_code(0);
    node.end();
}

#[test]
fn a_turn_that_waited_runs_once_wherever_its_coordinator_dies_at_its_beginning() {
    let node = Node::start();
    for point in ["turn.beginning:2", "turn.begun:2"] {
        let (daemon, living) = in_a_file(&node, 1);
        kill(daemon);
        let daemon = living.trial.coordinator(Some(&point.replace(":2", ":1")));
        living.threads("queue", &["Second."]).assert_code(0);
        living.go();
        killed(daemon, &living.client, "turn.ended");
        let daemon = living.trial.coordinator(None);
        assert_eq!(living.said_once_ended(2), ["Do it.", "Second."], "{point}");
        living.assert_ran_once();
        living.over(daemon).assert_code(0);
    }
    node.end();
}

#[test]
fn a_turn_that_waits_and_is_taken_back_does_not_run_in_the_next_life() {
    let node = Node::start();
    let (daemon, living) = in_a_file(&node, 2);
    living.threads("queue", &["Second."]).assert_code(0);
    let interrupted = living.threads("interrupt", &["--queued", "--kill"]);
    interrupted.assert_code(0);
    assert!(interrupted.stdout.starts_with("interrupted turn "), "{interrupted}");
    wait::until_true(TURN, "the end of the turn", || {
        living.stored().kinds().last().is_some_and(|kind| kind == "turn interrupted")
    });
    kill(daemon);
    let daemon = living.trial.coordinator(None);
    let idle = living.threads("interrupt", &[]);
    assert!(idle.stdout.starts_with("no turn runs in "), "{idle}");
    living.threads("queue", &["Third."]).assert_code(0);
    assert_eq!(living.said_once_ended(1), ["Do it.", "Third."]);
    assert_eq!(living.trial.read("log"), "began\n");
    living.over(daemon);
    node.end();
}

#[test]
fn what_was_acknowledged_as_said_to_a_turn_is_told_to_its_model_by_the_next_owner() {
    let node = Node::start();
    let (daemon, living) = in_a_file(&node, 0);
    for text in ["And be quick.", "And be kind."] {
        living.threads("steer", &[text]).assert_code(0);
    }
    kill(daemon);
    let daemon = living.trial.coordinator(None);
    living.go();
    assert_eq!(living.said_once_ended(1), ["Do it.", "And be quick.", "And be kind."]);
    let told = |entry: &Entry| match entry {
        Entry::User { text, .. } => Some(text.clone()),
        Entry::CallOutput { .. } => Some("output".to_owned()),
        Entry::Assistant { text } => Some(text.clone()),
        _ => None,
    };
    let entries: Vec<String> = living.stored().entries.iter().filter_map(told).collect();
    assert_eq!(entries, ["Do it.", "output", "And be quick.", "And be kind.", "done"]);
    living.assert_ran_once();
    living.over(daemon).assert_code(0);
    node.end();
}
