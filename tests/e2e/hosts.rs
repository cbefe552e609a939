//! Several hosts in one thread: three nodes that share nothing but a registry, and a model that names the host of each call.

mod killed;
mod used;

use crate::registry::{Coordinator, Node, SOON, token};
use crate::scripted::{self, call};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three nodes, each with a directory of the thread's.
struct Fleet {
    etcd: EtcdCluster,
    here: Home,
    nodes: [Option<Node>; 3],
}

impl Fleet {
    fn start() -> Self {
        let (etcd, here) = (EtcdCluster::start(1), Home::new());
        for name in NAMES {
            fs::create_dir(here.root().join(name)).expect("a directory can be made");
        }
        let token = token(here.root());
        let nodes = NAMES.map(|name| Some(Node::start(name, &etcd, &token)));
        Self { etcd, here, nodes }
    }

    /// A coordinator that knows them, with a model that plays this script.
    fn coordinator(&self, steps: &[Value]) -> Coordinator {
        let script = scripted::write(self.here.root(), steps);
        let coordinator = Coordinator::start(&self.etcd, &token(self.here.root()), &script, None);
        coordinator.until_it_knows(&NAMES);
        coordinator
    }

    /// Another one on the home of one that was killed.
    fn coordinator_again(&self, killed: Coordinator) -> Coordinator {
        let Coordinator { home, running } = killed;
        let _ = running.crash();
        Coordinator::again(home, &self.etcd, &token(self.here.root()), &self.here.root().join("script.json"), None)
    }

    /// Kills a node; what it runs, runs on.
    fn kill(&mut self, name: &str) {
        let at = NAMES.iter().position(|known| *known == name).expect("a node of this name");
        let Node { running, .. } = self.nodes[at].take().expect("it runs");
        let _ = running.crash();
    }

    /// A client of a thread that may use all of them, each in its own directory.
    fn exec(&self, coordinator: &Coordinator) -> Capstan {
        let hosts: Vec<String> = NAMES.iter().map(|name| format!("{name}:{}", self.dir(name).display())).collect();
        coordinator.exec(self.here.root()).args(["--hosts", &hosts.join(",")])
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.here.root().join(name)
    }

    fn until_there(&self, file: &str) {
        wait::until_true(SOON, file, || self.here.root().join(file).exists());
    }
}

/// A command on a host.
fn on(id: &str, host: &str, cmd: &str) -> Value {
    call(id, "exec_command", &json!({ "cmd": cmd, "login": false, "yield_time_ms": 30_000, "host": host }))
}

/// A command that says that it began, and ends when it is let.
fn waits_for(go: &str) -> String {
    format!("echo one; echo begun >> began; until [ -e {go} ]; do sleep 0.05; done; echo two")
}
