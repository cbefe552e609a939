//! Two coordinators that a node calls. The one that keeps its record dies, the other takes over, and no call notices.

use super::{LEASE, SOON, exec, knows, listens, until_it_says};
use crate::scripted::{self, command, contains, says, step};
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

const WAITS: &str = "touch waits; while [ ! -e go ]; do sleep 0.05; done; echo gone on";

/// A coordinator that is a member.
struct Coordinator {
    home: Home,
    address: String,
    running: Running,
}

impl Coordinator {
    fn start(home: Home, name: &str, etcd: &EtcdCluster, script: &Path, join: &[&str]) -> Self {
        let words = ["coordinator", "--name", name, "--listen", "https://127.0.0.1:0", "--registry", &etcd.url(), "--script"];
        let coordinator = Capstan::new(&home).args(words).arg(script).args(join.iter().copied());
        let running = coordinator.deadline(Duration::from_secs(300)).start();
        let line = until_it_says(&running, "https://");
        let address = line.split("https://").nth(1).expect("it says where").to_owned();
        Self { home, address, running }
    }
}

fn token(seat: &Home, role: &str, name: &str) -> String {
    let run = Capstan::new(seat).args(["cluster", "token", "create", "--role", role, "--name", name]).run();
    run.assert_code(0);
    run.stdout.lines().next().expect("a token").to_owned()
}

fn value(etcd: &EtcdCluster, key: &str) -> Option<Value> {
    let said = etcd.ctl(&["get", key, "--print-value-only"]);
    serde_json::from_str(said.trim()).ok()
}

/// Who keeps the record of the node: the place of the coordinator in the list.
fn keeper(etcd: &EtcdCluster, all: &[Coordinator]) -> Option<usize> {
    let record = value(etcd, "/capstan/v1/nodes/far")?;
    let name = record["record"]["address"]["dialed"].as_str()?.to_owned();
    let coordinator = value(etcd, &format!("/capstan/v1/coordinators/{name}"))?.to_string();
    all.iter().position(|one| coordinator.contains(&one.address))
}

#[test]
fn a_coordinator_that_dies_leaves_the_nodes_that_it_kept_to_another_and_calls_go_on() {
    let (etcd, here) = (EtcdCluster::start(1), Home::new());
    let steps = [step([], [command("c", WAITS)]), step([contains("c", "gone on")], [says("Done.")])];
    let script = scripted::write(here.root(), &steps);
    let [seat, other, far] = [(); 3].map(|()| {
        let home = Home::new();
        home.configure(LEASE);
        home
    });
    far.configure("ownerless_timeout_ms = 60000\n");
    Capstan::new(&seat).args(["cluster", "init", "--name", "c1"]).run().assert_code(0);
    let seat = Coordinator::start(seat, "a", &etcd, &script, &[]);
    let join = token(&seat.home, "coordinator", "b");
    let other = Coordinator::start(other, "b", &etcd, &script, &["--join", &join, &seat.address]);
    let mut coordinators = vec![seat, other];
    let join = token(&coordinators[0].home, "node", "far");
    let [first, second] = [0, 1].map(|at: usize| format!("https://{}", coordinators[at].address));
    let words = ["node", "--name", "far", "--dial-out", &first, "--dial-out", &second, "--join", &join, &coordinators[0].address];
    let node = Capstan::new(&far).args(words).deadline(Duration::from_secs(300)).start();
    until_it_says(&node, &format!("node far (generation 1) dials out to {first}, {second}"));
    assert_eq!(listens(node.pid()), 0, "nobody can reach it");
    for coordinator in &coordinators {
        wait::until_true(SOON, "a coordinator that knows the node", || knows(&coordinator.home, "far"));
    }
    let work = here.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    let keeps = wait::until(SOON, "a coordinator that keeps the node", || keeper(&etcd, &coordinators));
    let survivor = &coordinators[1 - keeps];
    let turn = exec(&survivor.home, &work).start();
    wait::until_true(SOON, "a command that waits", || work.join("waits").exists());

    let died = coordinators.remove(keeps);
    let _ = died.running.crash();
    wait::until_true(SOON, "the other that keeps the node", || keeper(&etcd, &coordinators) == Some(0));
    fs::write(work.join("go"), "").expect("a file can be written");
    let run = turn.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    // And what is new goes there as before.
    exec(&coordinators[0].home, &work).run().assert_code(0);
    let said = node.stderr();
    assert_eq!(said.matches("the connection to the coordinator was lost").count(), 1, "{said}");
    drop(died.home);
}
