//! Restarts in turn under load: nodes, once from an older build; coordinators; and what each is told to read again.

use super::{Fleet, SOON, busy, from_environment, waiting, whole};
use capstan_tests::capstan::{Run, Running};
use capstan_tests::postgres::PostgresServer;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;
use std::path::PathBuf;

const CALLS: usize = 3;
const STEPS: usize = 8;

/// As many turns at once as there are, each begun anew when it has ended, until `done`; then all of them.
fn load(fleet: &Fleet, seats: usize, turns: usize) -> Vec<Running> {
    let running: Vec<Running> = (0..turns).map(|turn| fleet.exec(turn % seats, &[]).start()).collect();
    wait::until_true(SOON, "turns that have begun", || running.iter().all(|turn| turn.stdout().contains("turn.started")));
    running
}

#[test]
fn nodes_that_are_started_anew_in_turn_under_load_fail_no_call() {
    let older = std::env::var_os("CAPSTAN_OLDER").map(PathBuf::from);
    let turns = from_environment("CAPSTAN_RESTART_TURNS", 6);
    let mut fleet = Fleet::start(&["a", "b", "c"], older.as_deref(), &busy(STEPS, CALLS), &[None]);
    if older.is_some() {
        let skewed = fleet.does(&["nodes", "list", "--no-headers"]);
        assert_eq!(skewed.matches("Ready,VersionSkew").count(), 3, "{skewed}");
    }
    let mut running = load(&fleet, 1, turns);
    for node in 0..3 {
        let name = fleet.nodes[node].name.clone();
        wait::until_true(SOON, "a turn on the node", || {
            if fleet.status(&name)["turns"].as_u64() == Some(0) {
                // All that were there have ended; more come.
                running.push(fleet.exec(0, &[]).start());
            }
            fleet.status(&name)["turns"].as_u64() > Some(0)
        });
        fleet.restart_node(node);
        wait::until_true(SOON, "a node that is used again", || fleet.status(&name)["conditions"][0]["status"] == true);
    }
    let runs: Vec<Run> = running.into_iter().map(Running::wait).collect();
    whole(&fleet, &runs, STEPS, CALLS);
    println!("{} turns of {} calls over 3 restarts: none failed", runs.len(), STEPS * CALLS);
    let list = fleet.does(&["nodes", "list", "-o", "json"]);
    assert_eq!(list.matches("\"generation\": 2").count(), 3, "{list}");
    assert!(!fleet.does(&["nodes", "list"]).contains("VersionSkew"));
}

#[test]
fn coordinators_that_are_started_anew_in_turn_hand_their_turns_over() {
    let store = PostgresServer::start();
    let turns = from_environment("CAPSTAN_RESTART_TURNS", 6);
    let url = Some(store.url());
    let mut fleet = Fleet::start(&["a", "b"], None, &busy(STEPS, CALLS), &[url.clone(), url]);
    let running = load(&fleet, 2, turns);
    for seat in 0..2 {
        wait::until_true(SOON, "turns that run", || ["a", "b"].iter().any(|node| fleet.status(node)["turns"].as_u64() > Some(0)));
        fleet.restart_seat(seat);
    }
    let runs: Vec<Run> = running.into_iter().map(Running::wait).collect();
    whole(&fleet, &runs, STEPS, CALLS);
}

#[test]
fn a_turn_that_outlasts_the_grace_goes_on_with_the_next_start_of_both_daemons() {
    let mut fleet = Fleet::start(&["a"], None, &waiting(), &[None]);
    let turn = fleet.exec(0, &[]).start();
    let began = fleet.work().join("began");
    wait::until_true(SOON, "a command that runs", || began.exists());
    fleet.restart_seat(0);
    fleet.restart_node(0);
    let node = &fleet.nodes[0].running.as_ref().expect("it runs").stdout();
    assert!(node.contains("generation 2"), "{node}");
    fs::write(fleet.work().join("go"), "").expect("a file can be written");
    let run = turn.wait();
    run.assert_code(0);
    let commands = run.items_of("command_execution");
    assert!(commands.len() == 1 && commands[0]["exit_code"] == 0, "{run}");
    assert_eq!(fs::read_to_string(began).expect("it is there"), "begun\n");
}

#[test]
fn a_hang_up_has_daemons_read_their_configuration_again_and_a_broken_one_changes_nothing() {
    let fleet = Fleet::start(&["a"], None, &waiting(), &[None]);
    let (node, seat) = (fleet.nodes[0].running.as_ref().expect("it runs"), fleet.seats[0].running.as_ref().expect("it runs"));
    let says = |running: &Running, words: &str| {
        running.send(Signal::HangUp);
        wait::until_true(SOON, words, || running.stderr().contains(words));
    };
    // What a session may not do any more.
    fleet.nodes[0].home.configure("[node.ceiling]\nmode = \"read-only\"\n");
    says(node, "in effect now: node.ceiling.mode, ownerless_timeout_ms");
    says(node, "these take effect with a restart only: registry.lease_ttl_ms");
    let began = fleet.work().join("began");
    fs::write(fleet.work().join("go"), "").expect("a file can be written");
    let refused = fleet.exec(0, &[]).run();
    assert!(!began.exists() && refused.to_string().contains("read-only"), "{refused}");
    fleet.nodes[0].home.configure("[node.ceiling\n");
    says(node, "the configuration stays as it was: ");
    let _ = fleet.exec(0, &[]).run();
    assert!(!began.exists(), "a broken file changed something");
    fleet.nodes[0].home.configure(super::CONFIG);
    says(node, "in effect now: node.ceiling.mode, ownerless_timeout_ms\nwarning: these take effect");
    fleet.exec(0, &[]).run().assert_code(0);
    assert!(began.exists());
    says(seat, "nothing of it that takes effect without a restart has changed");
}
