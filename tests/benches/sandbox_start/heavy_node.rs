//! A node that holds much memory and many descriptors, in a process of its own, so that its calls can be measured in turn with others.

use crate::runner::{self, Server};
use capstan_tests::process::command;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

/// The argument that makes the benchmark's program play this role; the state directory follows it.
pub(crate) const ROLE: &str = "heavy-node";

/// How much memory it has touched, in bytes.
const MEMORY: usize = 2 << 30;

/// How many descriptors it has open.
const DESCRIPTORS: usize = 10_000;

/// The process that plays it.
pub(crate) struct HeavyNode {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl HeavyNode {
    /// Starts it, and waits until it has taken all that it is to hold.
    pub(crate) fn start(state: &Path) -> Self {
        let this = std::env::current_exe().expect("the benchmark has a path");
        let mut node = command(this.to_str().expect("the path is UTF-8"));
        node.env(runner::VARIABLE, runner::program()).arg(ROLE).arg(state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().expect("this program can be started");
        let orders = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("its output is piped"));
        answers.read_line(&mut String::new()).expect("it is ready");
        Self { child, orders, answers }
    }

    /// Has it run a program by the server with holders ahead, or by the one without.
    pub(crate) fn once(&mut self, prepared: bool, program: &str) -> Duration {
        let orders = self.orders.as_mut().expect("it is not told to end yet");
        writeln!(orders, "{} {program}", if prepared { "prepared" } else { "cold" }).expect("it takes orders");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        Duration::from_nanos(answer.trim().parse().expect("it answers with nanoseconds"))
    }
}

impl Drop for HeavyNode {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.wait();
    }
}

/// Plays the role, to the end of its orders.
#[expect(clippy::print_stdout, reason = "its answers are its output")]
pub(crate) fn run(state: &Path) {
    let memory = vec![1_u8; MEMORY];
    raise_descriptors();
    let files: Vec<File> = (0..DESCRIPTORS).map(|_| File::open("/dev/null").expect("the host has room for files")).collect();
    let cold = Server::start(state, "heavy-cold", 0);
    let ahead = Server::start(state, "heavy-prepared", 2);
    println!("ready");
    for order in std::io::stdin().lines() {
        let order = order.expect("orders are text");
        let (how, program) = order.split_once(' ').expect("an order has two words");
        let server = if how == "prepared" { &ahead } else { &cold };
        println!("{}", server.once(state, &[program], None).as_nanos());
    }
    drop((std::hint::black_box(memory), files));
}

#[expect(unsafe_code, reason = "the standard library cannot raise a limit")]
fn raise_descriptors() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is live for both calls.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}
