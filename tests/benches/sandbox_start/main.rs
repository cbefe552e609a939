//! What the start of a sandboxed session costs beyond the start of a process.
//!
//! Each way runs the same program once in every round, in turn with all the others, with a rest before each so that what was started
//! ahead is there again. The time is from the node's request (directory, document, connection) to the report that the program has
//! ended and was reaped, on a terminal. A figure means its ratio to the bare spawn of the same run, since machines differ and drift.
//!
//! `sandbox_start [ROUNDS] [--only WORDS]`, 200 rounds and all ways unless said; `--only` leaves out, besides the bare spawn, the ways without
//! these words in their names. The node's state lies below `CAPSTAN_BENCH_DIR`, /var/tmp unless said; on a memory file system
//! the time of the disk is left out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod heavy_node;
mod memory;
mod runner;
mod session;
#[path = "../call_overhead/static_program.rs"]
mod static_program;

use capstan_tests::process::command;
use capstan_types::policy::Level;
use heavy_node::HeavyNode;
use runner::Server;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Rounds unless said, and how many before them are not counted.
const ROUNDS: usize = 200;
const WARM_UP: usize = 5;

/// The rest before each start.
const REST: Duration = Duration::from_millis(12);

/// A way to run a program, and the times it took.
struct Way<'a> {
    name: &'static str,
    run: Box<dyn FnMut(&str) -> Duration + 'a>,
    took: [Vec<Duration>; 2],
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == heavy_node::ROLE) {
        return heavy_node::run(Path::new(&arguments[at + 1]));
    }
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS);
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let state = dir.path().canonicalize().expect("it is there");
    let workspace = state.join("workspace");
    std::fs::create_dir(&workspace).expect("a directory can be made");
    // In the one directory of ours that a sandbox shows.
    let fixed = static_program::build(&workspace);
    measure(&state, rounds, ["/bin/true", fixed.to_str().expect("the path is UTF-8")]);
    memory::tell(&state);
}

fn measure(state: &Path, rounds: usize, programs: [&str; 2]) {
    let cold = Server::start(state, "cold", 0);
    // A server makes ahead what its last session asked for; so one for each kind.
    let (narrow, ahead) = (Server::start(state, "narrow", 2), Server::start(state, "prepared", 2));
    let heavy = std::cell::RefCell::new(HeavyNode::start(state));
    let landlock = Some(Level::Landlock);
    let mut ways = vec![
        way("bare spawn and wait", |program| spawned(&[program])),
        way("a runner for each session, Landlock and seccomp", |program| runner::alone(state, &[program], landlock)),
        way("fork server, Landlock and seccomp", |program| cold.once(state, &[program], landlock)),
        way("fork server, Landlock and seccomp, prepared", |program| narrow.once(state, &[program], landlock)),
        way("fork server, full strength", |program| cold.once(state, &[program], None)),
        way("fork server, full strength, prepared", |program| ahead.once(state, &[program], None)),
        way("the same from a node with 2 GiB and 10,000 descriptors", |program| heavy.borrow_mut().once(false, program)),
        way("the same from it, prepared", |program| heavy.borrow_mut().once(true, program)),
    ];
    let mut missing = Vec::new();
    match find("bwrap") {
        Some(_) => ways.push(way("bubblewrap, the same namespaces", |program| spawned(&[&BWRAP[..], &[program]].concat()))),
        None => missing.push("bubblewrap"),
    }
    match find("codex") {
        Some(_) => ways.push(way("codex's sandbox", |program| spawned(&["codex", "sandbox", "--", program]))),
        None => missing.push("codex"),
    }
    let only = std::env::args().skip_while(|argument| argument != "--only").nth(1);
    let mut bare = true;
    ways.retain(|way| std::mem::take(&mut bare) || only.as_ref().is_none_or(|words| way.name.contains(words.as_str())));
    for round in 0..WARM_UP + rounds {
        for way in &mut ways {
            for (program, took) in programs.iter().zip(&mut way.took) {
                std::thread::sleep(REST);
                let time = (way.run)(program);
                if round >= WARM_UP {
                    took.push(time);
                }
            }
        }
    }
    println!("{rounds} rounds, all in turn; milliseconds\n");
    println!("| way | /bin/true: median | p99 | ratio | static program: median | p99 | ratio |");
    println!("|---|---|---|---|---|---|---|");
    let bare: Vec<f64> = ways[0].took.iter().map(|took| quantile(took, 0.5)).collect();
    for way in &ways {
        let [cells, more] = [0, 1].map(|program| {
            let (median, p99) = (quantile(&way.took[program], 0.5), quantile(&way.took[program], 0.99));
            format!("{median:.2} | {p99:.2} | {:.2}", median / bare[program])
        });
        println!("| {} | {cells} | {more} |", way.name);
    }
    missing.iter().for_each(|name| println!("| {name} | not installed | | | | | |"));
}

fn way<'a>(name: &'static str, run: impl FnMut(&str) -> Duration + 'a) -> Way<'a> {
    Way { name, run: Box::new(run), took: [Vec::new(), Vec::new()] }
}

/// Bubblewrap with the namespaces of a session at full strength.
const BWRAP: [&str; 18] = [
    "bwrap",
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--ro-bind",
    "/dev/shm",
    "/dev/shm",
    "--tmpfs",
    "/tmp",
    "--chdir",
    "/",
];

fn spawned(argv: &[&str]) -> Duration {
    let start = Instant::now();
    let mut command = command(argv[0]);
    command.args(&argv[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("the program can be started");
    let took = start.elapsed();
    assert!(status.success(), "{argv:?} failed: {status}");
    took
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a short list"
    )]
    let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
