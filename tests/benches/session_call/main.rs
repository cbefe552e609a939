//! What a call on another host costs: a sandboxed program on a terminal, asked for by gRPC over TCP.
//!
//! One at a time, each way in turn with a bare spawn of the same program on a terminal, and then as many a second as there are with so
//! many in flight. The time is from the request to the news of the end, as a coordinator sees it; the session is released after
//! that. A figure means its ratio to the bare spawn of the same run, since machines differ and drift.
//!
//! `session_call [ROUNDS] [--way NAME]... [--flights NUMBER]... [--seconds NUMBER] [--no-journal]`: 300 rounds unless said, and 0 for rates
//! alone; the ways are `bare`, `landlock` and `full`, all of them unless said, and what is said narrows the rates alone. The nodes' state lies
//! below `CAPSTAN_BENCH_DIR`, /var/tmp unless said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod bare;
mod call;
mod cancel;
mod far;
mod measured;
mod node;
mod plan;
mod rate;
mod ssh;
mod terminal;

use capstan_types::policy::Level;
use far::Far;
use measured::{PROGRAM, on_terminal, quantile};
use node::Node;
use plan::Plan;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many rounds are not counted.
const WARM_UP: usize = 10;

/// The rest before each call, so that what was started ahead is there again.
const REST: Duration = Duration::from_millis(12);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == node::ROLE) {
        return node::run(Path::new(&arguments[at + 1]), &arguments[at + 2], &arguments[at + 3]);
    }
    let plan = Plan::of(&arguments[1..]);
    let rounds = plan.rounds;
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let state = dir.path().canonicalize().expect("it is there");
    let workspace = state.join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    let nodes = [Level::Landlock, Level::Full].map(|level| Node::start(&state, level, plan.journal));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    let ssh = ssh::Ssh::start(&state);
    runtime.block_on(async {
        let [landlock, full] = [0, 1].map(|at| Far::on(&nodes[at], &workspace));
        let ways = [("Landlock and seccomp", &landlock), ("full strength", &full)];
        if rounds > 0 {
            one_at_a_time(rounds, &ways, ssh.as_ref()).await;
        }
        if rounds > 0 {
            cancel::whole_trees(&ways, &workspace).await;
        }
        rate::many_at_once(&plan, &ways).await;
    });
    println!("\nprivate memory of the nodes after that, KiB: {:?}", nodes.each_ref().map(Node::private_kib));
}

/// A way to run the program.
#[derive(Clone, Copy)]
enum Way<'a> {
    Bare,
    Far(&'a Far),
    Ssh(&'a ssh::Ssh),
}

impl Way<'_> {
    async fn run(self) -> Duration {
        match self {
            Way::Bare => bare::spawned(&PROGRAM),
            Way::Far(far) => call::call(far, &PROGRAM, on_terminal()).await,
            Way::Ssh(ssh) => {
                let start = Instant::now();
                let status = ssh.client("-tt", &PROGRAM).status().expect("the client can be started");
                assert!(status.success(), "the call over ssh failed: {status}");
                start.elapsed()
            }
        }
    }
}

async fn one_at_a_time(rounds: usize, nodes: &[(&'static str, &Far)], ssh: Option<&ssh::Ssh>) {
    let mut ways = vec![("bare spawn on a terminal", Way::Bare)];
    ways.extend(nodes.iter().map(|(name, far)| (*name, Way::Far(far))));
    ways.extend(ssh.map(|ssh| ("ssh with a shared connection, no sandbox", Way::Ssh(ssh))));
    let mut took = vec![Vec::new(); ways.len()];
    for round in 0..WARM_UP + rounds {
        for ((_, way), took) in ways.iter().zip(&mut took) {
            tokio::time::sleep(REST).await;
            let time = way.run().await;
            if round >= WARM_UP {
                took.push(time);
            }
        }
    }
    println!("{rounds} calls of {PROGRAM:?} on a terminal, one at a time, all ways in turn; milliseconds\n");
    println!("| way | median | p99 | ratio |\n|---|---|---|---|");
    let bare = quantile(&took[0], 0.5);
    for ((name, _), took) in ways.iter().zip(&took) {
        let (median, p99) = (quantile(took, 0.5), quantile(took, 0.99));
        println!("| {name} | {median:.2} | {p99:.2} | {:.2} |", median / bare);
    }
    if ssh.is_none() {
        println!("| ssh | OpenSSH's server is not installed | | |");
    }
}
