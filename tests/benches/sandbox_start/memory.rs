//! What the runner takes while nothing happens.

use crate::runner::{Server, program};
use capstan_tests::process::command;
use std::path::Path;

/// The memory that is a process's alone, in kibibytes; nothing when this user may not see it.
pub(crate) fn private_kib(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let private = rollup.lines().filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"));
    private.map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

/// Tells what the processes of a server take, waiting and with a session.
#[expect(clippy::print_stdout, reason = "the figures are the output")]
pub(crate) fn tell(state: &Path) {
    let server = Server::start(state, "memory", 2);
    while server.holders().len() < 2 {
        std::thread::yield_now();
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let waiting: Vec<_> = server.holders().into_iter().map(private_kib).collect();
    println!("\nprivate memory, KiB: the server {:?}; 2 holders that wait {waiting:?}", private_kib(server.pid()));
    let (session, life) = server.launch(state, &["sleep", "1000"], None);
    std::thread::sleep(std::time::Duration::from_millis(100));
    println!("a holder with an idle session {:?}; level {:?}", private_kib(session.holder), session.enforced.level);
    session.kill();
    drop(life);
    let stripped = state.join("stripped");
    let mut strip = command("strip");
    strip.arg("-o").arg(&stripped).arg(program());
    let file = if strip.status().is_ok_and(|status| status.success()) { stripped } else { program() };
    println!("the runner, stripped: {} KiB", std::fs::metadata(file).expect("the runner is there").len() / 1024);
}
