//! The coordinator hangs: nothing of it runs, and the kernel still holds its connections and accepts new ones.

use super::{Daemon, SOON};
use crate::scripted::{command, contains, says, step, write};
use capstan_tests::capstan::Home;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;
use std::time::{Duration, Instant};

/// Longer than it takes to find a connection half open.
const HANGS_FOR: Duration = Duration::from_secs(12);

#[test]
fn a_client_of_a_coordinator_that_hung_goes_on_where_it_was() {
    let home = Home::new();
    fs::create_dir(home.root().join("work")).expect("a directory can be made");
    let held = command("held", "echo begun > began; until [ -e go ]; do sleep 0.05; done; echo went");
    write(home.root(), &[step([], [says("I wait."), held]), step([contains("held", "went")], [says("done")])]);
    let daemon = Daemon::start(home, &[]);
    let client = daemon.exec().start();
    client.until_line("a command", |line| line["type"] == "item.started");
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    daemon.running.send(Signal::Stop);
    let hung = Instant::now();
    fs::write(daemon.file("go"), "").expect("a file can be written");
    // The time is what is tried here. Meanwhile the client finds out.
    wait::until_true(SOON, "the end of the hanging", || hung.elapsed() >= HANGS_FOR);
    assert!(client.stderr().contains("the connection to the coordinator is lost"), "{}", client.stderr());
    daemon.running.send(Signal::Continue);
    let run = client.wait();
    run.assert_code(0);
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    super::assert_once(
        &run,
        &[
            "thread.started",
            "turn.started",
            "item.completed agent_message",
            "item.started command_execution",
            "item.completed command_execution",
            "item.completed agent_message",
            "turn.completed",
        ],
    );
}

#[test]
fn a_client_that_finds_its_coordinator_hanging_is_told_in_time() {
    let daemon = Daemon::playing(&[step([], [says("done")])]);
    daemon.running.send(Signal::Stop);
    let run = daemon.exec().run();
    daemon.running.send(Signal::Continue);
    run.assert_code(2);
    assert!(run.stderr.contains("does not answer") && run.took < SOON, "{run}");
}
