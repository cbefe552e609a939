//! A thread goes to the node that it asks for, what it holds there is given back, and why it is there can be asked.

use crate::scripted::{self, command, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;
use std::time::{Duration, Instant};

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
        Self::of(&[("a", &[]), ("b", &["--resource", "gpu=1", "--holds", "github.com/org/repo"])], "echo done")
    }

    /// One over nodes with these flags, with a model whose only call is this command.
    fn of(nodes: &[(&str, &[&str])], cmd: &str) -> Self {
        let nodes: Vec<(Home, Running, String)> = nodes.iter().map(|(name, flags)| node(name, flags)).collect();
        let home = Home::new();
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        let script = scripted::write(home.root(), &[step([], [command("one", cmd)]), step([], [says("Done.")])]);
        let addresses = nodes.iter().flat_map(|(_, _, address)| ["--node".to_owned(), address.clone()]);
        let coordinator = Capstan::new(&home).args(["coordinator", "--script"]).arg(script).args(addresses.collect::<Vec<_>>());
        let coordinator = coordinator.deadline(Duration::from_secs(300)).start();
        wait::until(SOON, "a coordinator that serves", || coordinator.stdout().lines().next().map(str::to_owned));
        let nodes = nodes.into_iter().map(|(home, running, _)| (home, running)).collect();
        Self { home, _nodes: nodes, _coordinator: coordinator }
    }

    fn exec(&self, flags: &[&str]) -> Run {
        self.client(flags).run()
    }

    fn client(&self, flags: &[&str]) -> Capstan {
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-m", "scripted"]);
        exec.args(["--coordinator", &self.socket()]).args(flags.iter().copied()).in_dir(&self.home.root().join("work"))
    }

    /// A client that has said that it waits.
    fn waiting(&self, flags: &[&str]) -> Running {
        let client = self.client(flags).start();
        let said = client.until_line("a thread that waits", |line| line["type"] == "error");
        let said = said["message"].as_str().expect("a message");
        assert!(said.starts_with("Waiting for a place: no node has room now; of "), "{said}");
        assert!(said.ends_with("(first of 1 in line)"), "{said}");
        client
    }

    fn explain(&self, run: &Run) -> String {
        let id = thread(run);
        let said = Capstan::new(&self.home).args(["explain", &id, "--coordinator", &self.socket()]).run();
        said.assert_code(0);
        said.stdout.replace(&id, "ID")
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.home.path().join("coordinator.sock").display())
    }
}

fn thread(run: &Run) -> String {
    run.lines().iter().find_map(|line| line["thread_id"].as_str().map(str::to_owned)).expect("a thread")
}

fn node(name: &str, flags: &[&str]) -> (Home, Running, String) {
    let home = Home::new();
    let address = format!("unix://{}", home.root().join("node.sock").display());
    let label = format!("zone={name}");
    let node = Capstan::new(&home).args(["node", "--name", name, "--listen", &address, "--label", &label]);
    let node = node.args(flags.iter().copied()).deadline(Duration::from_secs(300)).start();
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

#[test]
fn what_operators_count_is_reserved_and_who_waits_for_it_says_so_and_can_be_stopped_at_once() {
    let cluster = Cluster::start();
    let first = cluster.exec(&["--resource", "gpu=1", "--disk", "1Mi"]);
    first.assert_code(0);
    assert!(cluster.explain(&first).starts_with("thread ID is on node b\n"), "{first}");
    let stopped = cluster.waiting(&["--resource", "gpu=1"]);
    let asked = Instant::now();
    stopped.send(Signal::Interrupt);
    let stopped = stopped.wait();
    stopped.assert_code(1);
    assert!(asked.elapsed() < Duration::from_secs(10), "{stopped}");
    // Who was stopped is not in line any more.
    let waits = cluster.waiting(&["--resource", "gpu=1"]);
    let deleted = Capstan::new(&cluster.home)
        .args(["threads", "delete", &thread(&first), "--yes", "--coordinator", &cluster.socket()])
        .run();
    deleted.assert_code(0);
    let run = waits.wait();
    run.assert_code(0);
    assert!(cluster.explain(&run).starts_with("thread ID is on node b\n"), "{run}");
    for (flags, said) in [(["--resource", "gpu=2"], "2 are too small"), (["--disk", "900Ti"], "2 are too small")] {
        let run = cluster.exec(&flags);
        run.assert_code(2);
        assert!(run.to_string().contains(said), "{run}");
    }
}

#[test]
fn a_thread_goes_to_the_node_that_holds_what_it_is_near_to() {
    let cluster = Cluster::start();
    for _ in 0..3 {
        let run = cluster.exec(&["--near", "github.com/org/repo"]);
        run.assert_code(0);
        let said = cluster.explain(&run);
        assert!(
            said.starts_with("thread ID is on node b\n") && said.contains("it has a mirror of github.com/org/repo"),
            "{said}"
        );
    }
}

#[test]
fn a_thread_that_thinks_leaves_its_slot_to_one_that_runs() {
    let cluster = Cluster::of(&[("a", &["--sessions", "1"])], "touch began; until [ -e go ]; do sleep 0.05; done");
    let work = cluster.home.root().join("work");
    let first = cluster.client(&[]).start();
    wait::until_true(SOON, "a command that runs", || work.join("began").exists());
    let second = cluster.waiting(&[]);
    fs::write(work.join("go"), "").expect("a file can be written");
    first.wait().assert_code(0);
    second.wait().assert_code(0);
}
