//! Many idle sessions at once on one node, half of them on terminals: how long until all run and until all are gone, and what memory
//! each costs. And how long a tree of processes that will not end takes to be ended.
//!
//! `session_scale [SESSIONS]`, 1000 unless said. The node's state lies below `CAPSTAN_BENCH_DIR`, /var/tmp unless said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

#[path = "../session_call/far.rs"]
mod far;
#[path = "../session_call/node.rs"]
mod node;

use capstan_agent_node::JournalSync;
use capstan_tools::host::{ExecHost, SessionReader};
use capstan_types::id::SessionId;
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::policy::Level;
use capstan_types::session::SessionEvent;
use far::Far;
use node::Node;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Sessions unless said, and how many starts are under way at once.
const SESSIONS: usize = 1000;
const STARTS: usize = 64;

/// How often a hostile tree is ended, and how many processes it has.
const TREES: usize = 10;
const PROCESSES: usize = 50;

/// Threads that the sessions belong to.
const OWNERS: usize = 16;

type Live = (Far, Box<dyn SessionReader>, SessionId);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == node::ROLE) {
        return node::run(Path::new(&arguments[at + 1]), &arguments[at + 2], &arguments[at + 3]);
    }
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(SESSIONS);
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let state = dir.path().canonicalize().expect("it is there");
    let workspace = state.join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    // Links to nodes are made on it, also between the parts that run to their ends.
    let _inside = runtime.enter();
    println!("{count} idle sessions at once, half of them on terminals\n");
    println!("| level | all started, s | node, KiB each | holder, KiB each | node's threads | all killed and gone, s |");
    println!("|---|---|---|---|---|---|");
    let mut trees = Vec::new();
    for level in [Level::Landlock, Level::Full] {
        let node = Node::start(&state, level, JournalSync::On);
        let far = Far::on(&node, &workspace);
        runtime.block_on(async {
            let warm = far.start(&["/bin/true"], Stdio::PipesNoInput).await;
            end(started(far.clone(), warm).await, false).await;
            let owners: Vec<_> = (0..OWNERS).map(|_| Far::on(&node, &workspace)).collect();
            scale(&node, &owners, level, count).await;
            trees.push((level, hostile(&far).await));
        });
    }
    for (level, mut took) in trees {
        took.sort();
        let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
        println!("\n{level}: a tree of {PROCESSES} hostile processes was dead after {median:.1?} (median), {most:.1?} (most)");
    }
}

async fn scale(node: &Node, owners: &[Far], level: Level, count: usize) {
    let before = node.private_kib();
    let began = Instant::now();
    let live = start_all(owners, count).await;
    let all_started = began.elapsed();
    let after = node.private_kib();
    let threads = std::fs::read_dir(format!("/proc/{}/task", node.pid())).map_or(0, Iterator::count);
    let holders = holders(node.pid());
    let began = Instant::now();
    let mut ending = JoinSet::new();
    for session in live {
        ending.spawn(end(session, true));
    }
    ending.join_all().await;
    let each = before.zip(after).map(|(before, after)| after.saturating_sub(before) / count as u64);
    println!(
        "| {level} | {:.2} | {} | {} | {threads} | {:.2} |",
        all_started.as_secs_f64(),
        each.map_or_else(|| "unknown".to_owned(), |each| each.to_string()),
        holders.map_or_else(|| "unknown".to_owned(), |each| each.to_string()),
        began.elapsed().as_secs_f64()
    );
}

async fn start_all(owners: &[Far], count: usize) -> Vec<Live> {
    let (mut starting, mut live) = (JoinSet::new(), Vec::with_capacity(count));
    for number in 0..count {
        if starting.len() >= STARTS {
            live.extend(starting.join_next().await.map(|started| started.expect("a start does not panic")));
        }
        let far = owners[number % OWNERS].clone();
        let stdio = if number % 2 == 0 { Stdio::Terminal(TermSize::default()) } else { Stdio::PipesNoInput };
        starting.spawn(async move {
            let reader = far.start(&["/bin/sleep", "1000"], stdio).await;
            started(far, reader).await
        });
    }
    live.extend(starting.join_all().await);
    live
}

async fn started(far: Far, mut reader: Box<dyn SessionReader>) -> Live {
    match reader.next().await {
        Ok(SessionEvent::Started { session, .. }) => (far, reader, session),
        other => panic!("{other:?} instead of the start"),
    }
}

/// Waits for a session's end, which `kill` brings about, and has it forgotten.
async fn end((far, mut reader, session): Live, kill: bool) {
    if kill {
        far.host.kill(session, "the benchmark").await.expect("a session is killed");
    }
    while !matches!(reader.next().await.expect("the session can be read"), SessionEvent::Ended { .. }) {}
    far.release(session).await;
}

/// What a holder has for itself on average, in kibibytes. They are told by their kind of directory: each works in its session's.
fn holders(node: u32) -> Option<u64> {
    let own = std::fs::read_link(format!("/proc/{node}/exe")).ok()?;
    let entries = std::fs::read_dir("/proc").ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let held = |pid: &u32| {
        let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        exe != own && exe.ends_with("capstan-sandbox") && cwd.parent().is_some_and(|parent| parent.ends_with("sessions"))
    };
    let private: Vec<u64> = pids.filter(held).filter_map(node::private_kib).collect();
    Some(private.iter().sum::<u64>() / u64::try_from(private.len()).ok().filter(|count| *count > 0)?)
}

async fn hostile(far: &Far) -> Vec<Duration> {
    let deaf = "trap '' HUP INT QUIT TERM USR1 USR2";
    let script = format!(
        "{deaf}; for n in $(seq {PROCESSES}); do (setsid sh -c \"{deaf}; echo up; while :; do sleep 1000; done\" &) & done; \
         while :; do sleep 1000; done"
    );
    let mut took = Vec::new();
    for _ in 0..TREES {
        let reader = far.start(&["/bin/sh", "-c", &script], Stdio::PipesNoInput).await;
        let (far, mut reader, session) = started(far.clone(), reader).await;
        let mut up = 0;
        while up < PROCESSES {
            match reader.next().await.expect("the session can be read") {
                SessionEvent::Output(capstan_types::output::Piece::Bytes { bytes, .. }) => {
                    up += bytes.iter().filter(|byte| **byte == b'\n').count();
                }
                other => panic!("{other:?} before all of them ran"),
            }
        }
        let began = Instant::now();
        far.host.kill(session, "the benchmark").await.expect("a session is killed");
        while !matches!(reader.next().await.expect("the session can be read"), SessionEvent::Ended { .. }) {}
        took.push(began.elapsed());
        far.release(session).await;
    }
    took
}
