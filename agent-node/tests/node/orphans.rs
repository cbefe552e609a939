//! What the node started for itself ends with it, down to the last descendant.

use crate::fixture::{Client, Fixture, eventually, marked};
use capstan_proto::wire::node as wire;
use capstan_types::id::TurnId;
use capstan_types::policy::SandboxPolicy;
use std::path::Path;
use std::process::Command;
use tokio::task::JoinSet;

/// A repository whose configuration git never comes to the end of.
fn endless_repository(dir: &Path) {
    assert!(Command::new("git").current_dir(dir).args(["init", "-q"]).status().unwrap().success());
    // Nobody writes to it.
    assert!(Command::new("mkfifo").arg(dir.join(".git/more")).status().unwrap().success());
    std::fs::write(dir.join(".git/config"), "[include]\n\tpath = more\n").unwrap();
}

/// A node that is taking note of a state, which never ends, and the mark that its helper bears.
async fn stuck() -> (Fixture, JoinSet<()>, String) {
    let node = Fixture::start().await;
    endless_repository(node.workspace.as_path());
    // The script of git's is told where it works.
    let mark = format!("capstan-git\0{}", node.workspace);
    let mut client: Client = node.client();
    let turn = TurnId::generate().to_string();
    let policy = Some((&SandboxPolicy::workspace_write(vec![node.workspace.clone()])).into());
    let request = wire::CheckpointRequest { authority: client.who(), cwd: node.workspace.to_string(), turn, policy };
    let mut asking = JoinSet::new();
    asking.spawn(async move { drop(client.workspace.checkpoint(request).await) });
    eventually("git's helper runs", async || marked(&mark).len() == 1).await;
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
