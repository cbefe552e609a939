//! `kill -9` in the middle of writing, and two processes over one file.

use crate::fixtures::{A, step, steps_of, thread};
use crate::role;
use capstan_store::{SqlStore, Store, StoreError, StoreLocation, open, sqlite};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Threads that append at the same time, so that groups are committed.
const THREADS: u8 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_survives_sigkill() {
    if let Some(path) = role::path_given() {
        return append_until_killed(&path).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    for round in 1..=6_usize {
        let acknowledged = killed_after(&path, round * 37);
        let store = sqlite::open(&path).await.unwrap();
        for number in 0..THREADS {
            let stored = steps_of(&store, thread(number).id).await;
            let told = acknowledged.get(&number).copied().unwrap_or(0);
            assert!(stored >= told, "round {round}: thread {number} was told {told} and kept {stored}");
        }
        store.close().await;
    }
}

/// Lets the second role append until it has said so `at_least` times, kills it, and returns the last number it said for each thread.
fn killed_after(path: &Path, at_least: usize) -> BTreeMap<u8, u64> {
    let mut command = role::second("kill::everything_acknowledged_survives_sigkill", path);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut last = BTreeMap::new();
    let mut note = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        let [thread, seq] = words[..] else { panic!("the second role failed: {line}") };
        last.insert(thread.parse().unwrap(), seq.parse().unwrap());
    };
    lines.by_ref().take(at_least).for_each(&mut note);
    child.kill().unwrap();
    // What it said before it died and we had not read yet counts as much.
    lines.for_each(&mut note);
    child.wait().unwrap();
    assert!(last.len() > 1, "the second role did not get far enough: {last:?}");
    last
}

async fn append_until_killed(path: &Path) {
    let store = open(&StoreLocation::Sqlite(path.to_owned())).await.unwrap();
    let mut appending = JoinSet::new();
    for number in 0..THREADS {
        appending.spawn(append_for_ever(Arc::clone(&store), number));
    }
    appending.join_all().await;
}

async fn append_for_ever(store: Arc<dyn Store>, number: u8) {
    match store.create_thread(&thread(number)).await {
        Ok(()) | Err(StoreError::ThreadExists(_)) => {}
        Err(error) => panic!("{error}"),
    }
    let already = steps_of(&*store, thread(number).id).await;
    for seq in already + 1.. {
        store.append(thread(number).id, A, step(seq, &"x".repeat(500))).await.unwrap();
        // One write of a short line, so that the kill cannot leave half of it.
        std::io::stderr().write_all(format!("{number} {seq}\n").as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_to_one_file() {
    const STEPS: u64 = 150;
    let fill = async |store: &SqlStore, number| {
        store.create_thread(&thread(number)).await.unwrap();
        for seq in 1..=STEPS {
            store.append(thread(number).id, A, step(seq, "")).await.unwrap();
        }
    };
    if let Some(path) = role::path_given() {
        let store = sqlite::open(&path).await.unwrap();
        fill(&store, 2).await;
        return store.close().await;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let store = sqlite::open(&path).await.unwrap();
    let mut other = JoinSet::new();
    other.spawn_blocking(move || role::run(role::second("kill::two_processes_write_to_one_file", &path)));
    fill(&store, 1).await;
    other.join_next().await.unwrap().unwrap();
    assert_eq!((steps_of(&store, thread(1).id).await, steps_of(&store, thread(2).id).await), (STEPS, STEPS));
}
