//! Across two processes the same happens as in one.

use super::{Node, exec, settled, workspace};
use crate::scripted::{command, contains, exited, patch, says, step};
use capstan_tests::capstan::{Home, Run};
use capstan_tests::git::Repository;
use capstan_tests::process::{self, Signal};
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::time::Duration;

const PATCH: &str = "*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** Add File: b.txt\n+new\n*** End Patch";

fn steps() -> Vec<Value> {
    vec![
        step([], [says("I look."), command("read", "cat a.txt; pwd")]),
        step([contains("read", "one\n")], [patch("patch", PATCH)]),
        step([contains("patch", "M a.txt\nA b.txt")], [command("fail", "cat a.txt b.txt; exit 3")]),
        step([contains("fail", "two\nnew\n"), exited("fail", 3)], [says("done")]),
    ]
}

fn client() -> Home {
    let client = Home::new();
    let _ = Repository::with_files(&workspace(&client), &[("a.txt", "one\n")]);
    client
}

/// The lines of a good run, with the node's name replaced where it stands.
fn lines_of(run: &Run, client: &Home, node: &str) -> String {
    run.assert_code(0);
    let lines = settled(run.lines(), client.root());
    let commands = lines.iter().filter(|line| line["item"]["type"] == "command_execution");
    assert!(commands.clone().count() == 4 && commands.into_iter().all(|line| line["item"]["capstan"]["node"] == node), "{run}");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    text.replace(&format!("\"node\":\"{node}\""), "\"node\":\"NODE\"")
}

fn embedded() -> String {
    let client = client();
    let run = exec(&client, &steps()).run();
    lines_of(&run, &client, "local")
}

fn across(listen: &str) -> (String, Node) {
    let (node, client) = (Node::listening(listen), client());
    let run = node.exec(&client, &steps()).run();
    let lines = lines_of(&run, &client, "far");
    assert_eq!(fs::read_to_string(workspace(&client).join("a.txt")).expect("the file is there"), "two\n");
    (lines, node)
}

#[test]
fn the_lines_are_the_same_over_tcp_as_in_one_process() {
    let (lines, node) = across("127.0.0.1:0");
    assert_eq!(lines, embedded());
    assert!(node.token_file.is_some(), "every user of this host can connect");
}

#[test]
fn the_lines_are_the_same_over_a_unix_socket_as_in_one_process() {
    let (lines, node) = across("unix://[ROOT]/node.sock");
    assert_eq!(lines, embedded());
    assert_eq!(node.token_file, None, "the socket is its owner's alone");
}

#[test]
fn a_node_that_is_told_to_end_does_so_with_exit_code_0() {
    let (_, node) = across("unix://[ROOT]/node.sock");
    node.running.send(Signal::Terminate);
    let run = node.running.wait();
    run.assert_code(0);
    assert_eq!(run.stdout.lines().count(), 1, "{run}");
    assert!(!node.home.root().join("node.sock").exists(), "the socket is left");
    let left = || process::at(node.home.root());
    wait::until_true(Duration::from_secs(20), &format!("no process left; now {:#?}", left()), || left().is_empty());
}

#[test]
fn a_node_that_comes_back_is_a_new_generation_with_the_same_token() {
    let Node { home, running, token_file, .. } = Node::listening("127.0.0.1:0");
    let read = || fs::read(token_file.as_ref().expect("there is a token")).expect("the token can be read");
    let first = read();
    assert!(running.stdout().contains("(generation 1)"));
    running.send(Signal::Terminate);
    running.wait().assert_code(0);
    let node = Node::start(home, "127.0.0.1:0");
    assert!(node.running.stdout().contains("(generation 2)"), "{}", node.running.stdout());
    assert_eq!(read(), first);
    let client = client();
    node.exec(&client, &steps()).run().assert_code(0);
}
