//! An agent node in a process of its own: the benchmark's program plays it, so that it can be set as no operator would.

use capstan_agent_node::{
    CheckpointDir, JournalSync, NodeConfig, RunnerPath, StateDir, Watermarks, base_environment, default_ceiling,
};
use capstan_coordinator::{RegistryLocation, open_registry};
use capstan_proto::token::Token;
use capstan_tests::process::command;
use capstan_types::node::{Capacity, NodeAddress, NodeRecord};
use capstan_types::policy::Level;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

/// The argument that makes the benchmark's program play this role; the state directory and the level follow it.
pub(crate) const ROLE: &str = "bench-node";

/// The secret of a node that lives for one benchmark, on loopback.
const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The variable that names the runner.
const RUNNER: &str = "CAPSTAN_RUNNER";

/// A node that runs until this is dropped.
pub(crate) struct Node {
    child: Child,
    life: Option<ChildStdin>,
    /// How it describes itself.
    pub(crate) record: NodeRecord,
}

impl Node {
    /// Starts one whose sessions are as strong as `strongest`, and waits until it serves.
    pub(crate) fn start(state: &Path, strongest: Level, journal: JournalSync) -> Self {
        let this = std::env::current_exe().expect("the benchmark has a path");
        let mut node = command(this.to_str().expect("the path is UTF-8"));
        node.env(RUNNER, runner())
            .arg(ROLE)
            .arg(state.join(strongest.to_string()))
            .arg(strongest.to_string())
            .arg(format!("{journal:?}"));
        let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("this program can be started");
        let life = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output is piped")).read_line(&mut line).expect("it speaks");
        let record = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the node said {line:?}: {error}"));
        Self { child, life, record }
    }

    /// The memory that is its alone, in kibibytes; nothing when this user may not see it.
    pub(crate) fn private_kib(&self) -> Option<u64> {
        private_kib(self.pid())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What its callers must know.
    pub(crate) fn token() -> Token {
        Token::parse(TOKEN).expect("it is a token")
    }
}

/// The memory that is a process's alone, in kibibytes.
pub(crate) fn private_kib(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let private = rollup.lines().filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"));
    private.map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

impl Drop for Node {
    fn drop(&mut self) {
        self.life = None;
        let _ = self.child.wait();
    }
}

/// Plays the role, until standard input ends.
#[expect(clippy::print_stdout, reason = "its description is its output")]
pub(crate) fn run(state: &Path, strongest: &str, journal: &str) {
    let strongest: Level = strongest.parse().expect("it is a level");
    let journal = if journal == "Off" { JournalSync::Off } else { JournalSync::On };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let registry = open_registry(&RegistryLocation::Embedded).await.expect("the registry opens");
        let node = capstan_agent_node::serve(config(state, strongest, journal), registry).await.expect("the node starts");
        let mut record = node.record().clone();
        record.address = node.addresses().first().cloned().unwrap_or(NodeAddress::Embedded);
        println!("{}", serde_json::to_string(&record).expect("a record is JSON"));
        let over = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = over.await;
        let _ = node.stop_sessions("the end of the benchmark").await;
        node.shutdown().await;
    });
}

fn config(state: &Path, strongest: Level, journal: JournalSync) -> NodeConfig {
    NodeConfig {
        id: "bench".parse().expect("it is a node id"),
        state_dir: StateDir::Own(state.to_owned()),
        checkpoints: CheckpointDir::WithState,
        runner: RunnerPath::program(runner()),
        prepared: 2,
        strongest,
        listen: vec!["127.0.0.1:0".parse().expect("it is an address")],
        token: Some(Node::token()),
        advertise: None,
        dial_out: Vec::new(),
        dial_out_token: None,
        membership: None,
        capacity: Capacity { sessions: 2048, cpus: 2, memory_bytes: 1 << 34 },
        stock: capstan_types::stock::Stock::default(),
        watermarks: Watermarks::default(),
        labels: [].into(),
        base_env: base_environment(|name| std::env::var(name).ok()),
        hidden: Vec::new(),
        ceiling: default_ceiling(),
        root_allowed: true,
        blobs: None,
        journal,
    }
}

fn runner() -> PathBuf {
    let beside = || std::env::current_exe().expect("this program has a path").with_file_name("../capstan-sandbox");
    let program = std::env::var_os(RUNNER).map_or_else(beside, PathBuf::from);
    program.canonicalize().expect("the runner is built: cargo build --release -p capstan-sandbox")
}
