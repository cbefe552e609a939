//! Drains: under load, with a deadline, called off, left on.

use super::{Fleet, SOON, busy, from_environment, waiting, whole};
use capstan_tests::capstan::Run;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;

/// Calls at once in each turn, and steps of it.
const CALLS: usize = 10;
const STEPS: usize = 3;

#[test]
fn a_drain_under_load_loses_nothing_and_what_is_new_goes_elsewhere() {
    let sessions = from_environment("CAPSTAN_DRAIN_SESSIONS", 40);
    let fleet = Fleet::start(&["a", "b"], None, &busy(STEPS, CALLS), &[None]);
    let mut running: Vec<_> = (0..sessions / CALLS).map(|_| fleet.exec(0, &[]).start()).collect();
    wait::until_true(SOON, "turns on both nodes", || {
        ["a", "b"].iter().all(|node| fleet.status(node)["turns"].as_u64() > Some(0))
    });
    let placed = |run: &Run| run.items_of("command_execution").first().map(|item| item["capstan"]["node"].clone());
    let drain = fleet.capstan(&["nodes", "drain", "a", "--reason", "kernel", "--deadline", "5m"]);
    drain.assert_code(0);
    assert!(drain.stdout.contains("node a: drained; ") && drain.stdout.ends_with("0 were cancelled\n"), "{drain}");
    let status = fleet.status("a");
    assert_eq!((status["turns"].as_u64(), &status["closed"]["how"]), (Some(0), &"drained".into()));
    let sessions = fleet.does(&["sessions", "list", "--node-name", "a", "--json"]);
    assert!(sessions.contains("\"sessions\":[]"), "something runs there: {sessions}");
    // What begins now goes to the other one.
    let later: Vec<_> = (0..2).map(|_| fleet.exec(0, &[]).start()).collect();
    let later: Vec<Run> = later.into_iter().map(|run| run.wait()).collect();
    assert!(later.iter().all(|run| placed(run) == Some("b".into())), "{later:#?}");
    let mut runs: Vec<Run> = running.drain(..).map(|run| run.wait()).collect();
    assert!(runs.iter().any(|run| placed(run) == Some("a".into())), "the drain was of an idle node");
    runs.extend(later);
    whole(&fleet, &runs, STEPS, CALLS);
    // Once more changes nothing, and an uncordon ends it.
    fleet.capstan(&["nodes", "drain", "a"]).assert_code(0);
    assert_eq!(fleet.does(&["nodes", "uncordon", "a"]), "node a: uncordoned\n");
    let told = fleet.does(&["events", "a", "--no-headers"]);
    let kinds: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(kinds, ["joined", "draining", "drained", "draining", "drained", "uncordoned"], "{told}");
}

#[test]
fn what_runs_at_the_deadline_is_told_and_then_cancelled_with_the_truth() {
    let fleet = Fleet::start(&["a"], None, &waiting(), &[None]);
    let turn = fleet.exec(0, &[]).start();
    let began = fleet.work().join("began");
    wait::until_true(SOON, "a command that runs", || began.exists());
    let drain = fleet.capstan(&["nodes", "drain", "a", "--deadline", "1s"]);
    drain.assert_code(1);
    assert!(drain.stdout.contains("node a: the deadline has passed; 1 session and 1 turn run, 0 ended, 0 cancelled"), "{drain}");
    assert!(drain.stdout.contains("until [ -e go ]") && drain.stdout.contains("with --force to cancel the rest"), "{drain}");
    // Its turn goes on; another one does not begin.
    assert_eq!(fleet.status("a")["closed"]["how"], "draining");
    let drain = fleet.capstan(&["nodes", "drain", "a", "--deadline", "0s", "--force", "--reason", "kernel"]);
    drain.assert_code(0);
    assert!(drain.stdout.ends_with("node a: drained; 0 sessions ended, 1 were cancelled\n"), "{drain}");
    let run = turn.wait();
    run.assert_code(1);
    assert!(run.stdout.contains("the turn was ended by the drain of node a that ann"), "{run}");
    assert!(run.stdout.contains("(kernel)"), "{run}");
    let thread = run.lines().iter().find_map(|line| line["thread_id"].as_str().map(str::to_owned)).expect("a thread");
    let exported = fleet.does(&["threads", "export", &thread]);
    assert!(exported.contains("The call was ended by the drain of node a that ann"), "{exported}");
    let refused = fleet.exec(0, &[]).run();
    assert!(refused.to_string().contains("none of 1 node(s) may be chosen: 1 is cordoned"), "{refused}");
}

#[test]
fn an_interrupted_drain_stays_on_and_one_that_is_called_off_says_so() {
    let fleet = Fleet::start(&["a"], None, &waiting(), &[None]);
    let turn = fleet.exec(0, &[]).start();
    let began = fleet.work().join("began");
    wait::until_true(SOON, "a command that runs", || began.exists());
    let drain = || {
        let drain = capstan_tests::capstan::Capstan::new(&fleet.here).args(["nodes", "drain", "a"]);
        let drain = drain.env("CAPSTAN_COORDINATOR", &fleet.socket(0)).start();
        wait::until_true(SOON, "a drain that waits", || drain.stdout().contains("1 session and 1 turn run"));
        drain
    };
    let interrupted = drain();
    interrupted.send(Signal::Interrupt);
    let interrupted = interrupted.wait();
    interrupted.assert_code(1);
    assert!(
        interrupted
            .stdout
            .ends_with("the drain goes on; `capstan nodes uncordon` ends it, and the same command shows it again\n"),
        "{interrupted}"
    );
    assert_eq!(fleet.status("a")["closed"]["how"], "draining");
    let called_off = drain();
    fleet.does(&["nodes", "uncordon", "a"]);
    let called_off = called_off.wait();
    called_off.assert_code(1);
    assert!(called_off.stdout.ends_with("node a: the drain was called off\n"), "{called_off}");
    fs::write(fleet.work().join("go"), "").expect("a file can be written");
    turn.wait().assert_code(0);
}
