//! The node is killed in the middle of a call.

use super::{Node, workspace};
use crate::scripted::{command, command_left_running, contains, matches, says, step};
use capstan_tests::capstan::Home;
use capstan_tests::process::{self, Signal};
use capstan_tests::wait;
use capstan_types::call::Outcome;
use std::fs;
use std::time::{Duration, Instant};

/// How long a session of a node that is gone may count as running: until its own clock must have ended it, 1.5 seconds after its node was lost, and
/// 12 seconds of grace for a node that comes back; and as long again for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(27);

const GROW: &str = "while :; do echo tick >> growing; sleep 0.05; done";

#[test]
fn a_node_killed_in_a_call_is_told_to_the_model_as_an_unknown_outcome() {
    let (node, client) = (Node::listening("unix://[ROOT]/node.sock"), Home::new());
    let steps = [
        step([], [command("grow", GROW)]),
        step(
            [contains("grow", "Process state unknown"), contains("grow", "It is not known whether it finished")],
            [command("after", "echo more")],
        ),
        step([matches("after", "node far|not reached|nothing")], [says("The node is gone.")]),
    ];
    let running = node.exec(&client, &steps).deadline(Duration::from_secs(120)).start();
    let growing = workspace(&client).join("growing");
    // A second of it, so that its start has been heard of.
    let lines = || fs::read_to_string(&growing).unwrap_or_default().lines().count();
    wait::until_true(Duration::from_secs(30), "a file that grows", || lines() >= 20);
    let killed = Instant::now();
    let Node { home, running: daemon, .. } = node;
    let _ = daemon.crash();
    running.until_line("the end of the command", |line| line["type"] == "item.completed");
    assert!(killed.elapsed() < TOLD_WITHIN, "told after {:?}", killed.elapsed());
    let run = running.wait();

    let command = run.items_of("command_execution").remove(0);
    assert_eq!((&command["status"], &command["exit_code"]), (&"failed".into(), &serde_json::Value::Null), "{run}");
    assert!(command["capstan"]["reason"].as_str().is_some_and(|reason| reason.contains("far")), "{run}");
    // With no node left the turn may end either way; it must not claim to have done what it did not.
    match run.status.code() {
        Some(0) => assert_eq!(run.final_message().as_deref(), Some("The node is gone.")),
        Some(1) => assert!(run.failure().is_some_and(|said| said.contains("far")), "{run}"),
        _ => panic!("{run}"),
    }
    let outcomes = crate::stored::outcomes(&client);
    assert!(matches!(outcomes.first(), Some((call, Some(Outcome::Unknown { .. }))) if call == "grow"), "{outcomes:?}");
    // The session was the dead node's, and ends by its own clock.
    wait::until_true(Duration::from_secs(20), "no process of the node", || process::at(home.root()).is_empty());
    wait::until_true(Duration::from_secs(20), "no process in the workspace", || process::at(&workspace(&client)).is_empty());
}

#[test]
fn a_node_that_is_told_to_end_in_a_call_ends_and_its_session_by_its_own_clock() {
    let (node, client) = (Node::listening("unix://[ROOT]/node.sock"), Home::new());
    let steps = [step([], [command("grow", GROW)]), step([contains("grow", "Process")], [says("done")])];
    let running = node.exec(&client, &steps).deadline(Duration::from_secs(120)).start();
    let growing = workspace(&client).join("growing");
    wait::until_true(Duration::from_secs(30), "a file that grows", || growing.exists());
    node.running.send(Signal::Terminate);
    node.running.wait().assert_code(0);
    let run = running.wait();
    assert!(matches!(run.status.code(), Some(0 | 1)), "{run}");
    wait::until_true(Duration::from_secs(20), "no process in the workspace", || process::at(&workspace(&client)).is_empty());
    let size = || fs::metadata(&growing).expect("the file is there").len();
    let before = size();
    assert_eq!(before, size());
}

#[test]
fn a_client_killed_in_a_call_leaves_its_session_to_the_nodes_clock() {
    let (node, client) = (Node::listening("unix://[ROOT]/node.sock"), Home::new());
    let steps = [step([], [command_left_running("grow", GROW), command("wait", "sleep 60")]), step([], [says("done")])];
    let running = node.exec(&client, &steps).start();
    let growing = workspace(&client).join("growing");
    wait::until_true(Duration::from_secs(30), "a file that grows", || growing.exists());
    let _ = running.crash();
    wait::until_true(Duration::from_secs(30), "no process in the workspace", || process::at(&workspace(&client)).is_empty());
    // The node is none the worse for it.
    let other = Home::new();
    let steps = [step([], [command("echo", "echo on it")]), step([contains("echo", "on it")], [says("done")])];
    node.exec(&other, &steps).run().assert_code(0);
}
