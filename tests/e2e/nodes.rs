//! Operators' verbs for nodes on real processes and a real etcd: what is ordered holds, drains and restarts lose nothing.

mod drains;
mod restarts;
mod verbs;

use crate::scripted::{self, command, exited, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(90);

/// The shortest lease, so that a test need not wait long for the end of one.
const CONFIG: &str = "ownerless_timeout_ms = 60000\n[registry]\nlease_ttl_ms = 2000\n";

/// An etcd, some nodes that it knows, and a coordinator that finds them.
struct Fleet {
    etcd: EtcdCluster,
    here: Home,
    nodes: Vec<Host>,
    seats: Vec<Seat>,
}

/// A node, which stays at its place when it is started anew.
struct Host {
    name: String,
    home: Home,
    running: Option<Running>,
}

/// A coordinator.
struct Seat {
    home: Home,
    store: Option<String>,
    running: Option<Running>,
}

impl Fleet {
    /// Nodes of these names, run by this program if one is named, and a coordinator for each store; `None` is its home's own.
    fn start(names: &[&str], program: Option<&Path>, script: &[Value], stores: &[Option<String>]) -> Self {
        let (etcd, here) = (EtcdCluster::start(1), Home::new());
        scripted::write(here.root(), script);
        fs::create_dir(here.root().join("work")).expect("a directory can be made");
        let mut fleet = Self { etcd, here, nodes: Vec::new(), seats: Vec::new() };
        for name in names {
            let home = Home::new();
            home.configure(CONFIG);
            let running = Some(fleet.node(name, &home, program));
            fleet.nodes.push(Host { name: (*name).to_owned(), home, running });
        }
        for store in stores {
            let home = Home::new();
            home.configure(CONFIG);
            let running = Some(fleet.seat(&home, store.as_deref()));
            fleet.seats.push(Seat { home, store: store.clone(), running });
        }
        let known = names.len();
        wait::until_true(SOON, "a coordinator that can use all nodes", || {
            let list = fleet.capstan(&["nodes", "list", "--no-headers"]);
            list.stdout.lines().filter(|line| line.contains("  Ready")).count() == known
        });
        fleet
    }

    fn node(&self, name: &str, home: &Home, program: Option<&Path>) -> Running {
        let address = format!("unix://{}", home.root().join("node.sock").display());
        let node = Capstan::new(home).args(["node", "--name", name, "--listen", &address, "--registry", &self.etcd.url()]);
        let node = match program {
            Some(program) => node.program(program),
            None => node,
        };
        let running = node.deadline(Duration::from_secs(600)).start();
        until_it_says(&running, &format!("node {name} (generation "));
        running
    }

    fn seat(&self, home: &Home, store: Option<&str>) -> Running {
        let seat = Capstan::new(home).args(["coordinator", "--registry", &self.etcd.url(), "--grace", "3", "--script"]);
        let seat = seat.arg(self.here.root().join("script.json")).deadline(Duration::from_secs(600));
        let running = match store {
            Some(url) => seat.env("CAPSTAN_STORE", url).start(),
            None => seat.start(),
        };
        until_it_says(&running, "coordinator listens at ");
        running
    }

    /// Stops a node in order, and starts it again with the present program.
    fn restart_node(&mut self, at: usize) {
        let host = &mut self.nodes[at];
        let running = host.running.take().expect("it runs");
        running.send(Signal::Terminate);
        running.wait().assert_code(0);
        let again = self.node(&self.nodes[at].name, &self.nodes[at].home, None);
        self.nodes[at].running = Some(again);
    }

    /// The same with a coordinator.
    fn restart_seat(&mut self, at: usize) {
        let running = self.seats[at].running.take().expect("it runs");
        running.send(Signal::Terminate);
        running.wait().assert_code(0);
        let again = self.seat(&self.seats[at].home, self.seats[at].store.as_deref());
        self.seats[at].running = Some(again);
    }

    fn socket(&self, seat: usize) -> String {
        format!("unix://{}", self.seats[seat].home.path().join("coordinator.sock").display())
    }

    /// Runs a command for operators.
    fn capstan(&self, words: &[&str]) -> Run {
        Capstan::new(&self.here).args(words.iter().copied()).env("CAPSTAN_COORDINATOR", &self.socket(0)).env("USER", "ann").run()
    }

    /// The same, which must succeed.
    fn does(&self, words: &[&str]) -> String {
        let run = self.capstan(words);
        run.assert_code(0);
        run.stdout
    }

    /// A turn, at one of the coordinators.
    fn exec(&self, seat: usize, words: &[&str]) -> Capstan {
        let exec = Capstan::exec(&self.here, "Do it.").args(["-s", "workspace-write", "-m", "scripted", "--coordinator"]);
        let exec = exec.arg(self.socket(seat)).args(words.iter().copied());
        exec.in_dir(&self.here.root().join("work")).deadline(Duration::from_secs(300))
    }

    /// What is known of a node.
    fn status(&self, node: &str) -> Value {
        let list = self.does(&["nodes", "list", node, "-o", "json"]);
        serde_json::from_str::<Value>(&list).expect("it is JSON")["nodes"][0].clone()
    }

    fn work(&self) -> PathBuf {
        self.here.root().join("work")
    }
}

fn until_it_says(running: &Running, words: &str) {
    wait::until_true(SOON, words, || {
        assert!(!running.stderr().contains("error:"), "{}", running.stderr());
        running.stdout().contains(words)
    });
}

/// A turn of so many steps with so many calls at once. Each call takes a moment, and leaves a line that says that it began and one that it ended.
fn busy(steps: usize, calls: usize) -> Vec<Value> {
    let step_of = |number: usize| {
        let name = |call: usize| format!("s{number}c{call}");
        let begun = |call: usize| {
            format!(
                "echo $CAPSTAN_THREAD_ID {} >> begun; for i in 1 2 3; do echo part $i; sleep 0.2; done; echo whole",
                name(call)
            )
        };
        let expected: Vec<Value> = match number {
            0 => Vec::new(),
            _ => (0..calls).map(|call| exited(&format!("s{}c{call}", number - 1), 0)).collect(),
        };
        let answer: Vec<Value> = (0..calls).map(|call| command(&name(call), &begun(call))).collect();
        serde_json::json!({ "expect": expected, "answer": answer, "usage": { "input_tokens": 1, "output_tokens": 1 } })
    };
    let last: Vec<Value> = (0..calls).map(|call| exited(&format!("s{}c{call}", steps - 1), 0)).collect();
    let end =
        serde_json::json!({ "expect": last, "answer": [says("Done.")], "usage": { "input_tokens": 1, "output_tokens": 1 } });
    (0..steps).map(step_of).chain([end]).collect()
}

/// Of these turns each ended as it should: every call ran once, with all of its output.
fn whole(fleet: &Fleet, runs: &[Run], steps: usize, calls: usize) {
    for run in runs {
        run.assert_code(0);
        assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
        let commands = run.items_of("command_execution");
        assert_eq!(commands.len(), steps * calls, "{run}");
        for item in commands {
            let output = item["aggregated_output"].as_str().unwrap_or_default();
            assert!(item["exit_code"] == 0 && output.replace('\r', "").contains("part 1\npart 2\npart 3\nwhole\n"), "{item}");
        }
    }
    let begun = fs::read_to_string(fleet.work().join("begun")).expect("calls left their lines");
    let mut lines: Vec<&str> = begun.lines().collect();
    assert_eq!(lines.len(), runs.len() * steps * calls, "a call ran more than once, or never");
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), runs.len() * steps * calls, "a call ran more than once");
}

/// One call that ends when a file appears.
fn waiting() -> Vec<Value> {
    let cmd = "echo begun > began; until [ -e go ]; do sleep 0.05; done; echo went";
    vec![step([], [command("one", cmd)]), step([], [says("Done.")])]
}

/// How much, where a proof takes more than a run may.
fn from_environment(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
