//! The same program by the shortest way there is: spawned here, on a terminal, and read to its end.

use crate::terminal::terminal;
use capstan_tests::process::command;
use std::io::Read;
use std::time::{Duration, Instant};

/// Runs a program with all three streams on a terminal: the time until it is reaped and its output has ended.
pub(crate) fn spawned(argv: &[&str]) -> Duration {
    let start = Instant::now();
    let (mut master, slave) = terminal();
    let side = || slave.try_clone().expect("a descriptor can be copied");
    let mut program = command(argv[0]);
    program.args(&argv[1..]).stdin(side()).stdout(side()).stderr(side());
    let mut child = program.spawn().expect("the program can be started");
    drop((program, slave));
    let mut buffer = [0; 4096];
    // A terminal that nobody has open any more says so by an error.
    while matches!(master.read(&mut buffer), Ok(count) if count > 0) {}
    let status = child.wait().expect("the program can be waited for");
    let took = start.elapsed();
    assert!(status.success(), "{argv:?} failed: {status}");
    took
}
