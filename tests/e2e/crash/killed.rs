//! `kill -9` in the middle of a call.

use super::{OWNERLESS_MS, SOON, Scene};
use capstan_types::history::Entry;
use std::time::{Duration, Instant};

#[test]
fn a_killed_run_leaves_no_orphan_beyond_the_orphan_time_and_a_store_that_opens() {
    let scene = Scene::new();
    let running = scene.endless().start();
    let item = running.until_line("a command that began", |line| line["type"] == "item.started");
    assert_eq!(item["item"]["type"], "command_execution", "{item}");
    scene.until_it_grows();
    let killed = Instant::now();
    let run = running.crash();
    assert_eq!(run.status.code(), None);

    scene.until_nothing_runs(Duration::from_millis(OWNERLESS_MS) + SOON);
    // It lived on first: what ends with its coordinator's process could never be found again by the next one.
    assert!(killed.elapsed() >= Duration::from_millis(OWNERLESS_MS / 2), "the session died with the run: {:?}", killed.elapsed());

    let stored = scene.stored();
    let thread = stored.only();
    assert_eq!(thread.kinds(), ["thread started", "turn started", "completed user message", "started command"]);
    let [call] = thread.open_calls.as_slice() else { panic!("one call should be open: {thread:#?}") };
    assert_eq!((call.tool.as_str(), call.model_call_id.as_str()), ("exec_command", "grow"));
    assert!(call.arguments.contains("echo tick >> growing"), "{call:?}");
    let calls = thread.entries.iter().filter(|entry| matches!(entry, Entry::Call { .. })).count();
    assert_eq!(calls, 1, "{:#?}", thread.entries);
    assert!(!thread.entries.iter().any(|entry| matches!(entry, Entry::CallOutput { .. })), "{:#?}", thread.entries);
}

#[test]
fn the_home_of_a_killed_run_serves_the_next() {
    let scene = Scene::new();
    let running = scene.endless().start();
    scene.until_it_grows();
    let _ = running.crash();
    // While its session still runs.
    let run = scene.orderly();
    assert_eq!(run.final_message().as_deref(), Some("done"));
    let stored = scene.stored();
    let ends: Vec<String> = stored.threads.iter().filter_map(|thread| thread.kinds().pop()).collect();
    assert_eq!(ends, ["turn completed", "started command"], "the newest first");
    scene.until_nothing_runs(Duration::from_millis(OWNERLESS_MS) + SOON);
}

#[test]
fn a_killed_run_leaves_nothing_that_the_next_does_not_clear() {
    let scene = Scene::new();
    let running = scene.endless().start();
    scene.until_it_grows();
    let _ = running.crash();
    scene.until_nothing_runs(Duration::from_millis(OWNERLESS_MS) + SOON);
    scene.orderly();
    let sessions = scene.home.path().join("node/0/sessions");
    let left: Vec<_> = sessions.read_dir().expect("the node's directory is there").flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
