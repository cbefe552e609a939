//! Nodes and coordinators that find each other in etcd: real processes, a real etcd, and what happens when it is gone.

mod another_life;
mod away;
mod found;
mod many;
mod refusals;

use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The shortest lease, so that a test need not wait long for the end of one.
const LEASE: &str = "ownerless_timeout_ms = 60000\n[registry]\nlease_ttl_ms = 2000\n";

/// A node that is registered.
pub(crate) struct Node {
    pub(crate) home: Home,
    pub(crate) running: Running,
}

impl Node {
    pub(crate) fn start(name: &str, etcd: &EtcdCluster, token: &Path) -> Self {
        let home = Home::new();
        home.configure(LEASE);
        Self::again(home, name, etcd, token)
    }

    pub(crate) fn again(home: Home, name: &str, etcd: &EtcdCluster, token: &Path) -> Self {
        let node = Capstan::new(&home).args(["node", "--name", name, "--listen", "127.0.0.1:0", "--registry", &etcd.url()]);
        let running = node.arg("--token-file").arg(token).deadline(Duration::from_secs(300)).start();
        until_it_says(&running, &format!("node {name} (generation "));
        Self { home, running }
    }
}

/// A coordinator that finds its nodes, with a home and a script of its own.
pub(crate) struct Coordinator {
    pub(crate) home: Home,
    pub(crate) running: Running,
}

impl Coordinator {
    pub(crate) fn start(etcd: &EtcdCluster, token: &Path, script: &Path, store: Option<&str>) -> Self {
        let home = Home::new();
        home.configure(LEASE);
        Self::again(home, etcd, token, script, store)
    }

    /// On a home that another life has left.
    pub(crate) fn again(home: Home, etcd: &EtcdCluster, token: &Path, script: &Path, store: Option<&str>) -> Self {
        let coordinator = Capstan::new(&home).args(["coordinator", "--registry", &etcd.url(), "--node-token-file"]).arg(token);
        let coordinator = coordinator.arg("--script").arg(script).deadline(Duration::from_secs(300));
        let running = match store {
            Some(url) => coordinator.env("CAPSTAN_STORE", url).start(),
            None => coordinator.start(),
        };
        until_it_says(&running, "coordinator listens at ");
        Self { home, running }
    }

    pub(crate) fn socket(&self) -> String {
        format!("unix://{}", self.home.path().join("coordinator.sock").display())
    }

    pub(crate) fn exec(&self, workspace: &Path) -> Capstan {
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-m", "scripted"]);
        exec.args(["--coordinator", &self.socket()]).in_dir(workspace)
    }

    fn resume(&self, workspace: &Path, thread: &str) -> Capstan {
        let resume = Capstan::new(&self.home).args(["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"]);
        resume.args(["--coordinator", &self.socket(), "resume", thread, "Go on."]).in_dir(workspace)
    }

    /// Whether it knows a node of that name.
    fn knows(&self, node: &str) -> bool {
        let list =
            Capstan::new(&self.home).args(["sessions", "list", "--coordinator", &self.socket(), "--node-name", node]).run();
        match list.status.code() {
            Some(0) => true,
            // It died, and its lease has not ended yet.
            Some(1) if list.stderr.contains(&format!("node {node} are not known: it cannot be reached")) => true,
            Some(2) if list.stderr.contains(&format!("this coordinator has no node {node}")) => false,
            _ => panic!("not what was expected: {list}"),
        }
    }

    pub(crate) fn until_it_knows(&self, nodes: &[&str]) {
        for node in nodes {
            wait::until_true(SOON, &format!("a coordinator that knows {node}"), || self.knows(node));
        }
    }
}

pub(crate) fn until_it_says(running: &Running, words: &str) {
    wait::until_true(SOON, words, || {
        assert!(!running.stderr().contains("error:"), "{}", running.stderr());
        running.stdout().contains(words)
    });
}

/// A token for all nodes of a test.
pub(crate) fn token(dir: &Path) -> PathBuf {
    dir.join("nodes.token")
}
