//! What the node started for itself ends with it, down to the last descendant.

use crate::fixture::{Client, Fixture, eventually};
use capstan_proto::wire::node as wire;
use std::path::Path;
use std::process::Command;
use tokio::task::JoinSet;

/// How many processes have `text` in their command line, whose words are separated by NUL.
fn running(text: &str) -> usize {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    processes.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}

/// A repository whose configuration makes git start a program that goes on for ever, and the command line of that program.
fn endless_repository(dir: &Path) -> String {
    let seconds = format!("8888{}", u64::from(std::process::id()) * 1000 + u64::from(rank()));
    for args in [vec!["init", "-q"], vec!["config", "filter.slow.clean", &format!("sleep {seconds}; cat")]] {
        assert!(Command::new("git").current_dir(dir).args(args).status().unwrap().success());
    }
    std::fs::write(dir.join(".gitattributes"), "*.txt filter=slow\n").unwrap();
    std::fs::write(dir.join("a.txt"), "text\n").unwrap();
    seconds
}

/// A number that no other test of this process has.
fn rank() -> u16 {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// A node that is taking a snapshot which never ends, and the mark that its helper bears.
async fn stuck() -> (Fixture, JoinSet<()>, String) {
    let node = Fixture::start().await;
    let mark = endless_repository(node.workspace.as_path());
    let mut client: Client = node.client();
    let request = wire::SnapshotRequest { authority: client.who(), cwd: node.workspace.to_string() };
    let mut asking = JoinSet::new();
    asking.spawn(async move { drop(client.workspace.snapshot(request).await) });
    eventually("git's helper runs", async || running(&format!("sleep\0{mark}")) == 1).await;
    (node, asking, mark)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shuts_down_leaves_no_helper_of_git_behind() {
    let (node, _asking, mark) = stuck().await;
    node.running.shutdown().await;
    eventually("nothing of git's is left", async || running(&mark) == 0).await;
    let sessions = node.dir.path().join("state/sessions");
    assert_eq!(std::fs::read_dir(sessions).unwrap().count(), 0, "a directory was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_node_leaves_no_helper_of_git_behind() {
    let (node, asking, mark) = stuck().await;
    drop(asking);
    drop(node.running);
    eventually("nothing of git's is left", async || running(&mark) == 0).await;
}
