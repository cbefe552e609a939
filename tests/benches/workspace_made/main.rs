//! What a second workspace of a large repository costs on a node that has its mirror, beside a plain local clone.
//!
//! The repository has 50,000 files and 10,000 commits, made here by `git fast-import`. Clones and workspaces are made in turn, each in a fresh
//! directory on the same disk; what counts is the ratio within one run.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod history;

use capstan_agent_node::{
    CheckpointDir, JournalSync, NodeConfig, RunnerPath, Running, StateDir, Watermarks, base_environment, default_ceiling, serve,
};
use capstan_coordinator::{RegistryLocation, open_registry};
use capstan_proto::wire::node as wire;
use capstan_tests::process::command;
use capstan_types::id::{Epoch, ThreadId};
use capstan_types::node::Capacity;
use capstan_types::policy::Level;
use capstan_types::session::Authority;
use capstan_types::source::{GitSource, MakeEvent, MakeWorkspace, WorkspaceMade, WorkspaceSource};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wire::workspace_client::WorkspaceClient;

/// How many of each are made, in turn.
const ROUNDS: usize = 5;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let repository = history::make(dir.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(measure(dir.path(), &repository));
}

async fn measure(dir: &Path, repository: &Path) {
    let registry = open_registry(&RegistryLocation::Embedded).await.expect("the registry opens");
    let node = serve(config(dir), registry).await.expect("the node starts");
    let (first, cold) = make(&node, repository).await;
    println!(
        "first workspace, with fetch and checkout: {:.2} s ({}, {} bytes fetched)",
        cold.as_secs_f64(),
        first.how,
        first.fetched_bytes
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        theirs.push(clone(repository, &dir.join(format!("clone-{round}"))));
        let (made, took) = make(&node, repository).await;
        let files = std::fs::read_dir(made.facts.root.as_path()).map_or(0, Iterator::count);
        assert!(files > 10, "the workspace is empty");
        ours.push(took);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("\n| | median of {ROUNDS} |\n|---|---|");
    println!("| git clone, local | {:.0} ms |\n| second workspace | {:.0} ms |", theirs * 1e3, ours * 1e3);
    println!("| of a clone's time | {:.1} % |", 100.0 * ours / theirs);
    node.shutdown().await;
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(f64::NAN, Duration::as_secs_f64)
}

fn clone(repository: &Path, to: &Path) -> Duration {
    let begun = Instant::now();
    let mut git = command("git");
    git.args(["clone", "-q"]).arg(repository).arg(to).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    assert!(git.status().expect("git runs").success(), "git could not clone");
    let took = begun.elapsed();
    std::fs::remove_dir_all(to).expect("a clone can be removed");
    took
}

async fn make(node: &Running, repository: &Path) -> (WorkspaceMade, Duration) {
    let url = repository.display().to_string().parse().expect("a path is an address");
    let make = MakeWorkspace {
        authority: Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "bench".to_owned() },
        source: WorkspaceSource::Git(GitSource::whole(url)),
        policy: None,
        quota_bytes: None,
        credentials: Vec::new(),
    };
    let begun = Instant::now();
    let mut client = WorkspaceClient::new(node.pipe().channel());
    let mut events = client.make(wire::MakeRequest::from(&make)).await.expect("the node takes the request").into_inner();
    while let Some(event) = events.message().await.expect("the workspace is made") {
        if let MakeEvent::Made(made) = MakeEvent::try_from(event).expect("the node speaks our language") {
            return (*made, begun.elapsed());
        }
    }
    panic!("the node did not make the workspace")
}

fn config(dir: &Path) -> NodeConfig {
    NodeConfig {
        id: "bench".parse().expect("it is a node id"),
        state_dir: StateDir::Own(dir.join("state")),
        checkpoints: CheckpointDir::WithState,
        runner: RunnerPath::program(runner()),
        prepared: 2,
        strongest: Level::Full,
        listen: Vec::new(),
        token: None,
        advertise: None,
        dial_out: Vec::new(),
        dial_out_token: None,
        membership: None,
        capacity: Capacity { sessions: 64, cpus: 2, memory_bytes: 1 << 34 },
        stock: capstan_types::stock::Stock::default(),
        watermarks: Watermarks::default(),
        labels: [].into(),
        base_env: base_environment(|name| std::env::var(name).ok()),
        hidden: Vec::new(),
        ceiling: default_ceiling(),
        root_allowed: true,
        blobs: None,
        journal: JournalSync::On,
    }
}

fn runner() -> PathBuf {
    let beside = || std::env::current_exe().expect("this program has a path").with_file_name("../capstan-sandbox");
    let program = std::env::var_os("CAPSTAN_RUNNER").map_or_else(beside, PathBuf::from);
    program.canonicalize().expect("the runner is built: cargo build --release -p capstan-sandbox")
}
