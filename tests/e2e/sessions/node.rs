//! A node is asked itself, without its coordinator.

use super::{SOON, Stand};
use crate::scripted::{self, command, says, step};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait;
use std::fs;
use std::time::Duration;

#[test]
fn a_node_shows_the_sessions_of_an_owner_that_it_does_not_disturb() {
    let (home, client) = (Home::new(), Home::new());
    let node = Capstan::new(&home).args(["node", "--name", "far", "--listen", "127.0.0.1:0"]).deadline(Duration::from_secs(300));
    let node = node.start();
    let line = wait::until(SOON, "a node that serves", || node.stdout().lines().next().map(str::to_owned));
    let (place, token) = line.split_once("; token file ").expect("a token file");
    let address = place.split_once("http://").expect("an address").1;
    let work = client.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    let script = scripted::write(
        client.root(),
        &[step([], [command("hold", "echo so far; until [ -e over ]; do sleep 0.05; done")]), step([], [says("done")])],
    );
    let exec = Capstan::exec(&client, "Do it.").args([
        "-s",
        "workspace-write",
        "--node",
        address,
        "--node-token-file",
        token,
        "--script",
    ]);
    let turn = exec.arg(script).in_dir(&work).start();
    turn.until_line("a command", |line| line["type"] == "item.started");
    // Another home, with no coordinator.
    let person = Home::new();
    let sessions = |args: &[&str]| {
        let run = Capstan::new(&person).arg("sessions").args(args.iter().copied());
        run.args(["--node", address, "--node-token-file", token]).run()
    };
    let list = || {
        let run = sessions(&["list", "--json"]);
        run.assert_code(0);
        let list: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        list["sessions"][0].clone()
    };
    wait::until_true(SOON, "a session that has written", || list()["output_bytes"] == 7);
    let id = list()["session"].as_str().expect("an id").to_owned();
    let logs = sessions(&["logs", &id]);
    logs.assert_code(0);
    assert_eq!(logs.stdout, "so far\n");
    let killed = sessions(&["kill", &id, "--signal", "WINCH", "--timeout", "1"]);
    killed.assert_code(1);
    // The owner goes on as if nobody had looked.
    fs::write(work.join("over"), "").expect("a file can be written");
    turn.wait().assert_code(0);
    drop(node);
}

#[test]
fn an_operators_act_is_logged_by_the_node() {
    let stand = Stand::on_pipes("sleep 1000");
    stand.run(["kill", &stand.id()]).assert_code(0);
    let log = stand.coordinator.stderr();
    let line = log.lines().find(|line| line.contains("an operator acts on a session"));
    assert!(line.is_some_and(|line| line.contains("kill") && line.contains("ann (uid")), "{log}");
    stand.end();
}
