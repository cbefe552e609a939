//! What the node started for itself ends with it, down to the last descendant.

use crate::fixture::{Client, Fixture, eventually, marked, marker};
use capstan_proto::wire::node as wire;
use std::path::Path;
use std::process::Command;
use tokio::task::JoinSet;

/// A repository whose configuration makes git start a program that goes on for ever, and the command line of that program.
fn endless_repository(dir: &Path) -> String {
    let seconds = marker();
    for args in [vec!["init", "-q"], vec!["config", "filter.slow.clean", &format!("sleep {seconds}; cat")]] {
        assert!(Command::new("git").current_dir(dir).args(args).status().unwrap().success());
    }
    std::fs::write(dir.join(".gitattributes"), "*.txt filter=slow\n").unwrap();
    std::fs::write(dir.join("a.txt"), "text\n").unwrap();
    seconds
}

/// A node that is taking a snapshot which never ends, and the mark that its helper bears.
async fn stuck() -> (Fixture, JoinSet<()>, String) {
    let node = Fixture::start().await;
    let mark = endless_repository(node.workspace.as_path());
    let mut client: Client = node.client();
    let request = wire::SnapshotRequest { authority: client.who(), cwd: node.workspace.to_string() };
    let mut asking = JoinSet::new();
    asking.spawn(async move { drop(client.workspace.snapshot(request).await) });
    eventually("git's helper runs", async || marked(&format!("sleep\0{mark}")).len() == 1).await;
    (node, asking, mark)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shuts_down_leaves_no_helper_of_git_behind() {
    let (node, _asking, mark) = stuck().await;
    node.running.shutdown().await;
    eventually("nothing of git's is left", async || marked(&mark).is_empty()).await;
    let sessions = node.dir.path().join("state/sessions");
    assert_eq!(std::fs::read_dir(sessions).unwrap().count(), 0, "a directory was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_node_leaves_no_helper_of_git_behind() {
    let (node, asking, mark) = stuck().await;
    drop(asking);
    drop(node.running);
    eventually("nothing of git's is left", async || marked(&mark).is_empty()).await;
}
