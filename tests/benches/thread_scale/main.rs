//! What threads cost a coordinator: idle ones in memory, a thousand turns at once in time, and the resume of a long one.
//!
//! `thread_scale [idle_threads|many_turns|resume_large] [NUMBER]`, all of them unless said. The coordinator runs in this process, and its
//! node in another. State lies below `CAPSTAN_BENCH_DIR`, /var/tmp unless said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

#[path = "../session_call/call.rs"]
mod call;
#[path = "../session_call/far.rs"]
mod far;
#[path = "../session_call/node.rs"]
#[expect(dead_code, reason = "another benchmark measures the node's memory")]
mod node;

mod coordinator;
mod long_thread;
mod stage;

use call::call;
use capstan_agent_node::JournalSync;
use capstan_store::{StoreLocation, open};
use capstan_types::launch::Stdio;
use capstan_types::policy::Level;
use coordinator::Coordinator;
use far::Far;
use node::Node;
use stage::Bench;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Idle threads, turns at once and stored items, unless said.
const IDLE: usize = 10_000;
const TURNS: usize = 1_000;
const ITEMS: usize = 5_000;

/// Calls of each of the many turns.
const CALLS: usize = 10;

/// Calls of the node alone that are under way at once, and for how long.
const FLIGHTS: usize = 16;
const SPAN: Duration = Duration::from_secs(5);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == node::ROLE) {
        return node::run(Path::new(&arguments[at + 1]), &arguments[at + 2], &arguments[at + 3]);
    }
    let parts = ["idle_threads", "many_turns", "resume_large"];
    let chosen = arguments.iter().find(|argument| parts.contains(&argument.as_str()));
    let wants = |part: &str| chosen.is_none_or(|chosen| chosen == part);
    let number = arguments.iter().find_map(|argument| argument.parse().ok());
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let state = dir.path().canonicalize().expect("it is there");
    let workspace = state.join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    let bench = Bench { node: Node::start(&state, Level::Full, JournalSync::On), state, workspace };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        if wants("resume_large") {
            resume_large(&bench, number.unwrap_or(ITEMS)).await;
        }
        if wants("many_turns") {
            many_turns(&bench, number.unwrap_or(TURNS)).await;
        }
        if wants("idle_threads") {
            idle_threads(&bench, number.unwrap_or(IDLE)).await;
        }
    });
}

async fn idle_threads(bench: &Bench, count: usize) {
    let coordinator = Coordinator::start(bench, "idle", 0).await;
    coordinator.thread(&bench.workspace).await;
    let before = resident_kib();
    let began = Instant::now();
    let mut creating = JoinSet::new();
    for _ in 0..count {
        if creating.len() >= 64 {
            creating.join_next().await;
        }
        let (coordinator, workspace) = (coordinator.clone(), bench.workspace.clone());
        creating.spawn(async move { coordinator.thread(&workspace).await });
    }
    creating.join_all().await;
    let after = resident_kib();
    println!(
        "idle_threads: {count} threads, made in {:.1} s: {:.1} KiB each, {:.0} MiB resident in all",
        began.elapsed().as_secs_f64(),
        after.saturating_sub(before) as f64 / count as f64,
        after as f64 / 1024.0
    );
    coordinator.stop().await;
}

async fn many_turns(bench: &Bench, count: usize) {
    let alone = node_alone(bench).await;
    let coordinator = Coordinator::start(bench, "turns", CALLS).await;
    let mut threads = Vec::new();
    for _ in 0..count {
        threads.push(coordinator.thread(&bench.workspace).await);
    }
    let began = Instant::now();
    let mut turns = JoinSet::new();
    for thread in threads {
        let coordinator = coordinator.clone();
        turns.spawn(async move { coordinator.turn(&thread).await });
    }
    turns.join_all().await;
    let took = began.elapsed();
    let rate = (count * CALLS) as f64 / took.as_secs_f64();
    println!(
        "many_turns: {count} turns of {CALLS} calls in {:.1} s: {rate:.0} calls/s; the node alone {alone:.0} calls/s; ratio {:.2}",
        took.as_secs_f64(),
        rate / alone
    );
    coordinator.stop().await;
}

/// What the node does without a coordinator's turns: the same program by the same shell, asked for over the same wire.
async fn node_alone(bench: &Bench) -> f64 {
    let far = Far::on(&bench.node, &bench.workspace);
    let until = Instant::now() + SPAN;
    let mut calls = JoinSet::new();
    for _ in 0..FLIGHTS {
        let far = far.clone();
        calls.spawn(async move {
            let mut done = 0_u32;
            while Instant::now() < until {
                call(&far, &["bash", "-c", "/bin/true"], Stdio::PipesNoInput).await;
                done += 1;
            }
            done
        });
    }
    f64::from(calls.join_all().await.into_iter().sum::<u32>()) / SPAN.as_secs_f64()
}

async fn resume_large(bench: &Bench, items: usize) {
    let location = StoreLocation::Sqlite(bench.state.join("resume.db"));
    let store = open(&location).await.expect("the store opens");
    let (mut resumed, mut answered) = (Vec::new(), Vec::new());
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(long_thread::store(store.as_ref(), &bench.workspace, items).await);
    }
    store.close().await;
    let coordinator = Coordinator::start(bench, "resume", 0).await;
    for id in &ids {
        let began = Instant::now();
        let last = coordinator.resume(&id.to_string()).await;
        resumed.push(began.elapsed());
        let began = Instant::now();
        coordinator.begin(&id.to_string()).await;
        coordinator.ended(&id.to_string(), last).await;
        answered.push(began.elapsed());
    }
    resumed.sort();
    answered.sort();
    println!(
        "resume_large: a thread with {items} items is resumed after {:.1?} (median), {:.1?} (most); its next turn, of one answer, takes {:.1?}",
        resumed[2], resumed[4], answered[2]
    );
    coordinator.stop().await;
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("it can be read");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is told");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("it is a number")
}
