//! How fast output comes through the whole path, and how fast a key is echoed.
//!
//! A program writes so many bytes as fast as it can, through a terminal and through a pipe; what arrives is counted by a coordinator
//! that reads over gRPC and TCP, and beside it by a plain read of the same program here. A session never waits for a reader: what a reader
//! is too slow for comes as a gap, with its exact size, and is shown beside the rate. Then single keys are typed into `cat` on a
//! terminal, here and there.
//!
//! `session_stream [MEBIBYTES]`, 1024 by pipe and an eighth of that on a terminal unless said.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod echo;
#[path = "../session_call/far.rs"]
mod far;
#[path = "../session_call/node.rs"]
mod node;
#[path = "../session_call/ssh.rs"]
mod ssh;
#[path = "../session_call/terminal.rs"]
mod terminal;

use capstan_agent_node::JournalSync;
use capstan_tests::process::command;
use capstan_types::launch::{SessionEnd, Stdio, TermSize};
use capstan_types::output::Piece;
use capstan_types::policy::Level;
use capstan_types::session::SessionEvent;
use far::Far;
use node::Node;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Mebibytes by pipe unless said, and what part of them goes through a terminal, which is slower.
const MEBIBYTES: u64 = 1024;
const TERMINAL_SHARE: u64 = 8;

/// Rounds of each; the best one counts, for a stream can only be disturbed.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == node::ROLE) {
        return node::run(Path::new(&arguments[at + 1]), &arguments[at + 2], &arguments[at + 3]);
    }
    let mebibytes = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(MEBIBYTES);
    let parent = std::env::var_os("CAPSTAN_BENCH_DIR").unwrap_or_else(|| "/var/tmp".into());
    let dir = tempfile::tempdir_in(parent).expect("a temporary directory can be made");
    let workspace = dir.path().canonicalize().expect("it is there");
    let node = Node::start(&workspace, Level::Full, JournalSync::On);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    let ssh = ssh::Ssh::start(&workspace);
    runtime.block_on(async {
        let far = Far::on(&node, &workspace);
        println!("| {mebibytes} MiB; MB/s | plain read | ssh | whole path | of plain | of ssh | not read, of all |");
        println!("|---|---|---|---|---|---|---|");
        let (by_pipe, on_terminal) = (Stdio::PipesNoInput, Stdio::Terminal(TermSize::default()));
        row("by pipe", mebibytes, &far, by_pipe, ssh.as_ref()).await;
        row("on a terminal, an eighth of it", mebibytes / TERMINAL_SHARE, &far, on_terminal, ssh.as_ref()).await;
        echo::tell(&far).await;
    });
    println!("\nprivate memory of the node after that, KiB: {:?}", node.private_kib());
}

async fn row(name: &str, mebibytes: u64, far: &Far, stdio: Stdio, ssh: Option<&ssh::Ssh>) {
    let bytes = mebibytes << 20;
    let on_terminal = matches!(stdio, Stdio::Terminal(_));
    let (mut plain, mut shared, mut whole, mut missed) = (0_f64, f64::NAN, 0_f64, 0);
    for _ in 0..ROUNDS {
        plain = plain.max(rate(bytes, tokio::task::block_in_place(|| read_here(program(bytes), bytes, on_terminal))));
        if let Some(ssh) = ssh {
            let argv = argv(bytes);
            let client = ssh.client(if on_terminal { "-tt" } else { "-T" }, &argv.each_ref().map(String::as_str));
            // Its client's own side is a pipe.
            shared = shared.max(rate(bytes, tokio::task::block_in_place(|| read_here(client, bytes, false))));
        }
        let (took, gaps) = read_there(bytes, far, stdio).await;
        if rate(bytes, took) > whole {
            (whole, missed) = (rate(bytes, took), gaps);
        }
    }
    let (of_plain, of_ssh, lost) = (whole / plain, whole / shared, ratio(missed, bytes));
    println!("| {name} | {plain:.0} | {shared:.0} | {whole:.0} | {of_plain:.2} | {of_ssh:.2} | {lost:.3} |");
}

fn program(bytes: u64) -> Command {
    let argv = argv(bytes);
    let mut program = command(&argv[0]);
    program.args(&argv[1..]);
    program
}

fn argv(bytes: u64) -> [String; 3] {
    ["head".to_owned(), format!("-c{bytes}"), "/dev/zero".to_owned()]
}

fn read_here(mut program: Command, bytes: u64, on_terminal: bool) -> Duration {
    let start = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    let mut child;
    let mut count = 0;
    if on_terminal {
        let (mut master, slave) = terminal::terminal();
        child = program.stdout(slave).spawn().expect("it can be started");
        drop(program);
        while let Ok(read @ 1..) = master.read(&mut buffer) {
            count += read as u64;
        }
    } else {
        let (mut output, write_to) = std::io::pipe().expect("a pipe can be made");
        child = program.stdout(write_to).spawn().expect("it can be started");
        drop(program);
        while let Ok(read @ 1..) = output.read(&mut buffer) {
            count += read as u64;
        }
    }
    child.wait().expect("it can be waited for");
    assert_eq!(count, bytes, "a plain read loses nothing");
    start.elapsed()
}

async fn read_there(bytes: u64, far: &Far, stdio: Stdio) -> (Duration, u64) {
    let argv = argv(bytes);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut reader = far.start(&argv, stdio).await;
    let (mut session, mut arrived, mut missed) = (None, 0, 0);
    loop {
        match reader.next().await.expect("the session can be read") {
            SessionEvent::Started { session: started, .. } => session = Some(started),
            SessionEvent::Output(Piece::Bytes { bytes, .. }) => arrived += bytes.len() as u64,
            SessionEvent::Output(Piece::Gap { bytes, .. }) => missed += bytes,
            SessionEvent::Denied(_) => {}
            SessionEvent::Ended { end, .. } => {
                assert_eq!((end, arrived + missed), (SessionEnd::Exited { code: 0 }, bytes), "every byte is accounted for");
                break;
            }
        }
    }
    let took = start.elapsed();
    far.release(session.expect("a session starts before it ends")).await;
    (took, missed)
}

fn rate(bytes: u64, took: Duration) -> f64 {
    ratio(bytes, 1_000_000) / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts of bytes far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
