//! How long a tree of processes outlives the request to end it.

use crate::far::Far;
use crate::measured::quantile;
use capstan_tests::process;
use capstan_tools::host::ExecHost;
use capstan_types::launch::Stdio;
use capstan_types::session::SessionEvent;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Trees that are ended.
const TREES: usize = 100;

/// The processes of each: a shell and its children.
const PROCESSES: usize = 20;

/// Half of the children start a session of their own and ignore every signal that can be.
const TREE: &str = "i=0; while [ $i -lt 19 ]; do i=$((i+1)); if [ $((i % 2)) = 0 ]; then (trap '' TERM HUP INT; exec sleep 600) & else \
                    setsid sleep 600 & fi; done; wait";

/// A process that is still there after so long is an error.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tells how long it takes from the request to the moment in which no process of the tree is left.
pub(crate) async fn whole_trees(ways: &[(&str, &Far)], workspace: &Path) {
    println!(
        "\n{TREES} trees of {PROCESSES} processes, from the request to end one until no process of it is left; milliseconds\n"
    );
    println!("| way | median | p99 |\n|---|---|---|");
    for (name, far) in ways {
        let mut took = Vec::new();
        for _ in 0..TREES {
            took.push(ended(far, workspace).await);
        }
        println!("| {name} | {:.2} | {:.2} |", quantile(&took, 0.5), quantile(&took, 0.99));
    }
}

async fn ended(far: &Far, workspace: &Path) -> Duration {
    let mut reader = far.start(&["/bin/sh", "-c", TREE], Stdio::PipesNoInput).await;
    let SessionEvent::Started { session, .. } = reader.next().await.expect("the session can be read") else {
        panic!("a session began with something else");
    };
    let begun = Instant::now();
    let tree = loop {
        let tree: Vec<u32> = sleeping(workspace);
        if tree.len() == PROCESSES {
            break tree;
        }
        assert!(begun.elapsed() < DEADLINE, "the tree has {} processes", tree.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let start = Instant::now();
    let asked = far.host.clone();
    let mut request = JoinSet::new();
    request.spawn(async move { asked.kill(session, "the benchmark").await });
    while tree.iter().any(|pid| process::Process::find(*pid).is_some_and(|process| process.runs())) {
        assert!(start.elapsed() < DEADLINE, "the tree is still there");
        tokio::task::yield_now().await;
    }
    let took = start.elapsed();
    request.join_all().await.into_iter().for_each(|ended| ended.expect("the session is ended"));
    while !matches!(reader.next().await.expect("the session can be read"), SessionEvent::Ended { .. }) {}
    far.release(session).await;
    took
}

/// The shell and those that sleep, once every child has become `sleep`.
fn sleeping(workspace: &Path) -> Vec<u32> {
    let tree = process::at(workspace);
    let mine =
        tree.iter().filter(|process| process.command.starts_with("sleep 600") || process.command.starts_with("/bin/sh -c i=0"));
    mine.map(|process| process.pid).collect()
}
