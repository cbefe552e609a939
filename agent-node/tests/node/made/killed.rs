//! A node that is killed with -9 while it fetches and checks out.

use super::{PATIENCE, of, unmount};
use crate::checkpoints::git;
use crate::fixture::eventually;
use crate::killed::mortal::Mortal;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Names how often the node is killed.
const ROUNDS: &str = "CAPSTAN_KILL_ROUNDS";

struct Unmounted<'a>(&'a Path);

impl Drop for Unmounted<'_> {
    fn drop(&mut self) {
        unmount(self.0);
    }
}

/// Adds a commit with many files that cannot be compressed.
fn grow(top: &Path, round: u64) {
    let mut random = fastrand::Rng::with_seed(round);
    let dir = top.join(format!("round-{round}"));
    fs::create_dir(&dir).unwrap();
    for file in 0..120 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(20_000).collect();
        fs::write(dir.join(file.to_string()), bytes).unwrap();
    }
    git(top, &["add", "-A"]);
    git(top, &["commit", "-q", "-m", &format!("round {round}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_in_the_middle_leaves_nothing_broken_and_nothing_behind() {
    let rounds: u64 = std::env::var(ROUNDS).ok().map_or(4, |rounds| rounds.parse().unwrap());
    let mut node = Mortal::start().await;
    let state = node.dir.path().join("state");
    let _unmounted = Unmounted(&state);
    let top = node.dir.path().join("project");
    fs::create_dir(&top).unwrap();
    crate::checkpoints::repository(&top);
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..rounds {
        grow(&top, round);
        let mut client = node.client();
        let asked = of(top.display());
        let cut = tokio::spawn(async move { client.make(asked).await });
        tokio::time::sleep(Duration::from_millis(random.u64(20..700))).await;
        node.reborn().await;
        // Whether it was done or not is not known; what is there is whole.
        let _ = cut.await;
        let scratch = state.join("scratch");
        eventually("nothing half made is left", async || fs::read_dir(&scratch).unwrap().count() == 0).await;
        let mut client = node.client();
        let (made, _) = tokio::time::timeout(PATIENCE, client.make(of(top.display()))).await.unwrap().unwrap();
        assert_eq!(made.revision.as_deref(), Some(git(&top, &["rev-parse", "main"]).trim()), "round {round}");
        assert_eq!(git(made.facts.root.as_path(), &["-c", "safe.directory=*", "status", "--porcelain"]), "", "round {round}");
        git(made.facts.root.as_path(), &["-c", "safe.directory=*", "fsck", "--full"]);
        for mirror in fs::read_dir(state.join("mirrors")).unwrap() {
            git(&mirror.unwrap().path(), &["--git-dir=.", "fsck", "--full"]);
        }
        for workspace in fs::read_dir(state.join("workspaces")).unwrap() {
            assert!(workspace.unwrap().path().join("workspace.json").exists(), "a workspace without a record");
        }
    }
}
