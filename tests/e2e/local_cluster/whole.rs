//! From nothing to a turn on a node, over the death of a node, to nothing.

use super::{Local, SOON};
use crate::scripted::{self, command, command_left_running, exited, says, step};
use capstan_tests::capstan::Capstan;
use capstan_tests::process::{Signal, at, send};
use capstan_tests::wait::until_true;
use serde_json::Value;
use std::fs;

/// The line of a member in the table.
fn line(table: &str, name: &str) -> Vec<String> {
    let line =
        table.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("no {name} in:\n{table}"));
    line.split_whitespace().map(str::to_owned).collect()
}

fn comes_and_goes(mode: &str) {
    let local = Local::new();
    let leaves = command_left_running("left", "exec sleep 6001");
    let steps = [step([], [leaves, command("c", "echo hello")]), step([exited("c", 0)], [says("Done.")])];
    let script = scripted::write(local.home.root(), &steps);
    let up = local.up(&[mode, "--nodes", "2", "--script", &script.display().to_string()]);
    if mode == "--netns" && up.stderr.contains("network namespaces can") {
        // Told, and nothing made, where this is not allowed.
        up.assert_code(2);
        return local.assert_gone(&[]);
    }
    up.assert_code(0);
    for name in ["etcd", "coordinator-1", "coordinator-2", "node-1", "node-2"] {
        assert!(up.stderr.lines().any(|line| line.starts_with(&format!("{name} is ready at "))), "{up}");
    }
    let table = local.status();
    table.assert_code(0);
    let second = &line(&table.stdout, "coordinator-2")[1];
    assert!(up.stdout.contains(&format!("capstan exec --coordinator {second} ")), "{up}");

    let work = local.home.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    let exec = Capstan::exec(&local.home, "Do it.").args(["-s", "workspace-write", "-m", "scripted", "--coordinator", second]);
    let run = exec.in_dir(&work).run();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    let commands: Vec<Value> = run.lines().into_iter().filter(|line| line["item"]["type"] == "command_execution").collect();
    assert!(
        commands.iter().all(|line| line["item"]["capstan"]["node"].as_str().is_some_and(|node| node.starts_with("node-"))),
        "{run}"
    );

    let again = local.up(&[mode]);
    again.assert_code(2);
    assert!(again.stderr.contains("a cluster is up in ") && again.stderr.contains("capstan cluster down"), "{again}");

    let pid = line(&table.stdout, "node-2")[2].parse().expect("a process");
    assert!(send(Signal::Kill, pid));
    until_true(SOON, "coordinators that do not know the node any more", || {
        let table = local.status();
        assert_eq!(line(&table.stdout, "node-2")[2..], ["-", "gone"], "{table}");
        table.assert_code(1);
        ["coordinator-1", "coordinator-2"].iter().all(|name| line(&table.stdout, name)[3..] == ["ready,", "knows", "1", "node"])
    });

    let names = local.names();
    assert_eq!(names.is_empty(), mode == "--ports", "{names:?}");
    // Etcd, two coordinators, a node, and what holds its sessions.
    assert!(at(&local.dir()).len() > 4);
    local.down(&[]).assert_code(0);
    local.assert_gone(&names);
    until_true(SOON, "the end of what a session left running", || {
        !capstan_tests::process::mentioning("sleep 6001").iter().any(|process| process.command == "sleep 6001" && process.runs())
    });
    let none = local.status();
    none.assert_code(2);
    assert!(none.stderr.contains("there is no cluster in "), "{none}");
}

#[test]
fn a_cluster_on_ports_runs_a_turn_misses_a_dead_node_and_leaves_nothing() {
    comes_and_goes("--ports");
}

#[test]
fn a_cluster_in_network_namespaces_runs_a_turn_misses_a_dead_node_and_leaves_nothing() {
    comes_and_goes("--netns");
}
