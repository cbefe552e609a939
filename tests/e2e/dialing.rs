//! Nodes that nobody can reach: they call, and are asked on the connections that they made. Real processes, and a real etcd.

mod frozen;
mod taken_over;

use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::wait;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// The shortest lease, so that a test need not wait long for the end of one.
const LEASE: &str = "ownerless_timeout_ms = 60000\n[registry]\nlease_ttl_ms = 2000\n";

fn until_it_says(running: &Running, words: &str) -> String {
    wait::until(SOON, words, || {
        assert!(!running.stderr().contains("error:"), "{}", running.stderr());
        running.stdout().lines().find(|line| line.contains(words)).map(str::to_owned)
    })
}

/// Runs a turn by the coordinator of this home.
fn exec(home: &Home, workspace: &Path) -> Capstan {
    let socket = format!("unix://{}", home.path().join("coordinator.sock").display());
    let exec = Capstan::exec(home, "Do it.").args(["-s", "workspace-write", "-m", "scripted", "--coordinator", &socket]);
    exec.in_dir(workspace).deadline(Duration::from_secs(120))
}

/// Whether the coordinator of this home knows a node of that name.
fn knows(home: &Home, node: &str) -> bool {
    let socket = format!("unix://{}", home.path().join("coordinator.sock").display());
    let list = Capstan::new(home).args(["sessions", "list", "--coordinator", &socket, "--node-name", node]).run();
    list.status.code() == Some(0)
}

/// The TCP ports at which a process listens.
fn listens(pid: u32) -> usize {
    let inodes: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("it lives")
        .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok())
        .filter_map(|to| Some(to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let all = table("tcp") + &table("tcp6");
    let rows = all.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(3) == Some(&"0A") && row.get(9).is_some_and(|inode| inodes.iter().any(|own| own == inode))).count()
}
