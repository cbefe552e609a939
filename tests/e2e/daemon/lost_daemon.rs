//! The coordinator is killed: its clients come back to the next one, which goes on with their turns.

use super::{Daemon, GROW, SOON, assert_once};
use crate::scripted::{command, contains, says, step};
use crate::stored::Stored;
use capstan_tests::process;
use capstan_tests::wait;
use capstan_types::event::{Event, EventBody};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

fn endless() -> Vec<Value> {
    vec![step([], [command("grow", GROW)]), step([contains("grow", "Process")], [says("done")])]
}

/// A command that ends when it is let.
const WAITS: &str = "echo one; echo begun >> began; until [ -e go ]; do sleep 0.05; done; echo two; exit 3";

#[test]
fn a_client_of_a_killed_coordinator_follows_its_turn_to_the_end_with_the_next() {
    let steps = [step([], [command("held", WAITS)]), step([contains("held", "Output:\none\ntwo\n")], [says("done")])];
    let daemon = Daemon::playing(&steps);
    let client = daemon.exec().start();
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    let daemon = daemon.killed_and_started_again();
    fs::write(daemon.file("go"), "").expect("a file can be written");
    let run = client.wait();
    run.assert_code(0);
    assert_once(
        &run,
        &[
            "thread.started",
            "turn.started",
            "item.started command_execution",
            "item.completed command_execution",
            "item.completed agent_message",
            "turn.completed",
        ],
    );
    let item = run.items_of("command_execution").remove(0);
    assert_eq!((&item["aggregated_output"], &item["exit_code"]), (&"one\ntwo\n".into(), &3.into()), "{run}");
    assert_eq!(fs::read_to_string(daemon.file("began")).expect("the command ran"), "begun\n", "it ran twice");
    let stored = Stored::read(&daemon.home);
    let continued = stored.only().events.iter().filter(|event| event.body == EventBody::TurnContinued { times: 1 }).count();
    assert_eq!((continued, &stored.only().open_calls), (1, &Vec::new()), "{stored:#?}");
}

#[test]
fn a_client_whose_coordinator_stays_away_gives_up_in_time_and_says_so_once_before() {
    let daemon = Daemon::playing(&endless());
    let client = daemon.exec().args(["--coordinator-timeout", "5"]).start();
    daemon.until_it_grows();
    let Daemon { home, running, .. } = daemon;
    let _ = running.crash();
    let killed = Instant::now();
    let run = client.wait();
    run.assert_code(1);
    let lasted = killed.elapsed();
    assert!(lasted >= Duration::from_secs(4) && lasted < Duration::from_secs(5) + SOON, "{lasted:?}\n{run}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{run}");
    assert_eq!(lines[0], "warning: the connection to the coordinator is lost; it is tried again for up to 5 s");
    assert!(
        lines[1].starts_with("error: the coordinator at unix:///") && lines[1].contains("could not be reached for 5 s"),
        "{run}"
    );
    assert!(lines[2].contains("capstan threads follow"), "{run}");
    let left = || process::at(&super::workspace(&home));
    wait::until_true(SOON, "no process in the workspace", || left().is_empty());
}

#[test]
fn a_coordinator_that_is_told_to_end_leaves_its_turns_to_the_next_one() {
    let daemon = Daemon::playing(&endless());
    let client = daemon.exec().args(["--coordinator-timeout", "1"]).start();
    daemon.until_it_grows();
    daemon.running.send(process::Signal::Terminate);
    let Daemon { home, running, .. } = daemon;
    let ended = running.wait();
    ended.assert_code(0);
    assert!(ended.stderr.contains("turns are left to the next coordinator"), "{ended}");
    assert!(!home.path().join("coordinator.sock").exists(), "the socket is left");
    let run = client.wait();
    run.assert_code(1);
    assert!(run.stderr.contains("could not be reached for 1 s"), "{run}");
    assert_ne!(Stored::read(&home).only().kinds().last().map(String::as_str), Some("turn interrupted"));
    let left = || process::at(&super::workspace(&home));
    wait::until_true(SOON, "no process in the workspace", || left().is_empty());
}

/// A small generator of numbers that look random; a failure can be had again by its seed.
struct Numbers(u64);

impl Numbers {
    fn part_of(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        span * u32::try_from(self.0 % 1_000).expect("a number below a thousand") / 1_000
    }
}

#[test]
fn whenever_a_coordinator_is_killed_no_turn_starts_twice_and_nobody_waits_for_ever() {
    let mut steps = vec![step([], [command("call_0", "echo 0 >> log; seq 200")])];
    for number in 1..5_u32 {
        let next = command(&format!("call_{number}"), &format!("echo {number} >> log; sleep 0.05; seq 200"));
        steps.push(step([], [says("I go on."), next]));
    }
    // The node dies with its coordinator here: a command that it was just starting may be ended for that, and the model is told so.
    steps.push(step([], [says("done")]));
    let mut daemon = Daemon::playing(&steps);
    let whole = daemon.exec().run();
    whole.assert_code(0);
    let (mut numbers, mut cut_off) = (Numbers(0x5eed_0004), 0);
    for kill in 1..=10_u32 {
        let moment = numbers.part_of(whole.took);
        let (client, began) = (daemon.exec().start(), Instant::now());
        // The moment is what is tried here; there is no event to wait for.
        wait::until_true(SOON, "the moment", || began.elapsed() >= moment);
        daemon = daemon.killed_and_started_again();
        let run = client.wait();
        let context = format!("kill {kill} after {moment:?}\n{run}");
        match run.status.code() {
            Some(0) => assert_eq!(run.kinds(), whole.kinds(), "{context}"),
            // It had not begun.
            Some(2) => assert!(run.stdout.is_empty(), "{context}"),
            _ => panic!("{context}"),
        }
        // Reading asserts that the log has no holes, and that each turn and item begins once and ends once.
        let stored = Stored::read(&daemon.home);
        let told = stored.threads.iter().find(|thread| run.stdout.contains(&thread.record.id.to_string()));
        if let Some(thread) = told {
            let kinds = thread.kinds();
            let continued = |event: &Event| matches!(event.body, EventBody::TurnContinued { .. });
            cut_off += usize::from(thread.events.iter().any(continued));
            assert_eq!(kinds.iter().filter(|kind| *kind == "turn started").count(), 1, "{context}\n{kinds:?}");
            let completed = run.lines().iter().filter(|line| line["type"] == "item.completed").count();
            let stored = kinds.iter().filter(|kind| kind.starts_with("completed ") && *kind != "completed user message").count();
            assert_eq!(completed, stored, "{context}\n{kinds:?}");
        }
    }
    assert!(cut_off >= 3, "only {cut_off} of 10 kills hit a turn: the moments are no longer those of a run");
}
