//! A repository whose own configuration makes git hang: an interrupt ends the turn all the same, and what git started ends too.

use super::{SOON, Scene};
use capstan_tests::git::Repository;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;
use std::time::{Duration, Instant};

/// What an interrupted turn may take to end, with room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(8);

#[test]
fn an_interrupt_does_not_wait_for_a_snapshot_that_hangs_and_leaves_nothing_of_it() {
    let scene = Scene::new();
    let work = scene.home.root().join("work");
    let repository = Repository::with_files(&work, &[(".gitattributes", "*.slow filter=slow\n")]);
    repository.git(&["config", "filter.slow.clean", "sleep 7777"]);
    fs::write(work.join("a.slow"), "hello\n").unwrap();
    let running = scene.endless().start();
    let hangs = || scene.processes().iter().any(|process| process.command.contains("sleep 7777"));
    wait::until_true(SOON, "git that hangs in its filter", hangs);
    running.send(Signal::Interrupt);
    let sent = Instant::now();
    let run = running.wait();
    assert!(sent.elapsed() < AT_ONCE, "{:?}\n{run}", sent.elapsed());
    run.assert_code(1);
    let stored = scene.stored();
    let thread = stored.only();
    assert_eq!(thread.kinds().last().map(String::as_str), Some("turn interrupted"), "{thread:#?}");
    assert_eq!(thread.open_calls, [], "{thread:#?}");
    scene.until_nothing_runs(SOON);
}
