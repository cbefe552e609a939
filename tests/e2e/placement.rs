//! A thread goes to the node that it asks for, what it holds there is given back, and why it is there can be asked.

use crate::scripted::{self, command, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::wait;
use std::fs;
use std::time::Duration;

/// How long a process may take until it serves, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A coordinator over two nodes, `a` and `b`, each in the zone of its name, in processes of their own.
struct Cluster {
    home: Home,
    _nodes: Vec<(Home, Running)>,
    _coordinator: Running,
}

impl Cluster {
    fn start() -> Self {
        let nodes: Vec<(Home, Running, String)> = ["a", "b"].map(node).into();
        let home = Home::new();
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        let script = scripted::write(home.root(), &[step([], [command("one", "echo done")]), step([], [says("Done.")])]);
        let addresses = nodes.iter().flat_map(|(_, _, address)| ["--node".to_owned(), address.clone()]);
        let coordinator = Capstan::new(&home).args(["coordinator", "--script"]).arg(script).args(addresses.collect::<Vec<_>>());
        let coordinator = coordinator.deadline(Duration::from_secs(300)).start();
        wait::until(SOON, "a coordinator that serves", || coordinator.stdout().lines().next().map(str::to_owned));
        let nodes = nodes.into_iter().map(|(home, running, _)| (home, running)).collect();
        Self { home, _nodes: nodes, _coordinator: coordinator }
    }

    fn exec(&self, flags: &[&str]) -> Run {
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-m", "scripted"]);
        exec.args(["--coordinator", &self.socket()]).args(flags.iter().copied()).in_dir(&self.home.root().join("work")).run()
    }

    fn explain(&self, run: &Run) -> String {
        let id = run.lines().iter().find_map(|line| line["thread_id"].as_str().map(str::to_owned)).expect("a thread");
        let said = Capstan::new(&self.home).args(["explain", &id, "--coordinator", &self.socket()]).run();
        said.assert_code(0);
        said.stdout.replace(&id, "ID")
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.home.path().join("coordinator.sock").display())
    }
}

fn node(name: &str) -> (Home, Running, String) {
    let home = Home::new();
    let address = format!("unix://{}", home.root().join("node.sock").display());
    let label = format!("zone={name}");
    let node = Capstan::new(&home).args(["node", "--name", name, "--listen", &address, "--label", &label]);
    let node = node.deadline(Duration::from_secs(300)).start();
    wait::until(SOON, "a node that serves", || node.stdout().lines().next().map(str::to_owned));
    (home, node, address)
}

#[test]
fn a_thread_goes_where_its_selector_says_and_the_reason_is_kept() {
    let cluster = Cluster::start();
    for zone in ["a", "b"] {
        let run = cluster.exec(&["--selector", &format!("zone={zone}"), "--cpu", "100m"]);
        run.assert_code(0);
        let said = cluster.explain(&run);
        let expected = format!(
            "thread ID is on node {zone}\nof 2 nodes there were, 1 would do\n- its labels match zone={zone}\n- it was the least loaded, at "
        );
        assert!(said.starts_with(&expected), "{said}");
        assert!(said.ends_with("passed over: 1 does not match the selector\n"), "{said}");
    }
}

#[test]
fn what_no_node_can_give_is_refused_at_once_and_told() {
    let cluster = Cluster::start();
    let nowhere = cluster.exec(&["--selector", "zone=c"]);
    nowhere.assert_code(2);
    assert!(nowhere.to_string().contains("none of 2 node(s) may be chosen: 2 do not match the selector"), "{nowhere}");
    let much = cluster.exec(&["--cpu", "100000"]);
    much.assert_code(2);
    assert!(much.to_string().contains("2 are too small"), "{much}");
}
