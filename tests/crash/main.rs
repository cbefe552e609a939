//! A coordinator is killed at each of its named points, and the turn that it ran goes on to its end with the next one.
//!
//! A node in a process of its own runs the sessions; a client follows. After the end: every list of items is legal, what was told is stored, no
//! command has run twice, what is called completed was, and where an outcome is not known the model was told so.
//!
//! `CAPSTAN_CRASHES` (1 unless set) says how often each point is met, `CAPSTAN_SEED` with which seed the occurrences are drawn. The points exist in
//! builds with debug assertions only.

#![cfg(debug_assertions)]
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod full_disk;
mod house;
mod living;
mod oracle;
mod points;
mod postgres;
mod script;
mod waiting;

use capstan_tests::seeded::Numbers;
use capstan_tests::stored::Stored;
use house::{Node, Trial, ended, killed};

/// A number from the environment.
fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The points of a run, round after round.
fn drawn() -> Vec<String> {
    if let Ok(point) = std::env::var("CAPSTAN_POINT") {
        return vec![point];
    }
    let (rounds, first) = (from_environment("CAPSTAN_CRASHES", 1), from_environment("CAPSTAN_SEED", 1));
    (first..first + rounds).flat_map(|seed| points::draw(&mut Numbers::new(seed))).collect()
}

#[test]
fn wherever_a_coordinator_is_killed_its_turn_goes_on_to_the_end() {
    let node = Node::start();
    for point in drawn() {
        println!("{point}");
        let trial = Trial::new(&node, None);
        let daemon = trial.coordinator(Some(&point));
        let client = trial.client();
        killed(daemon, &client, &point);
        let daemon = trial.coordinator(None);
        let run = client.wait();
        ended(daemon).assert_code(0);
        oracle::judge(&point, &run, Stored::read(&trial.home).only(), &trial);
    }
    node.end();
}

#[test]
fn a_turn_whose_next_coordinator_is_killed_too_goes_on_with_the_third() {
    let node = Node::start();
    for (first, second) in [
        ("answer.stored:2", "turn.continued"),
        ("session.output:2", "turn.caught_up"),
        ("call.ended:1", "outputs.telling"),
        ("call.tried:2", "node.started:1"),
        ("model.asking:1", "model.asking:1"),
    ] {
        let trial = Trial::new(&node, None);
        let daemon = trial.coordinator(Some(first));
        let client = trial.client();
        killed(daemon, &client, first);
        let daemon = trial.coordinator(Some(second));
        killed(daemon, &client, second);
        let daemon = trial.coordinator(None);
        let run = client.wait();
        ended(daemon).assert_code(0);
        oracle::judge(&format!("{first}, then {second}"), &run, Stored::read(&trial.home).only(), &trial);
    }
    node.end();
}

#[test]
fn a_turn_that_ends_every_coordinator_is_given_up_and_that_is_said() {
    let node = Node::start();
    let trial = Trial::new(&node, None);
    let daemon = trial.coordinator(Some("model.asking:2"));
    let client = trial.client();
    killed(daemon, &client, "model.asking:2");
    for _ in 0..3 {
        killed(trial.coordinator(Some("model.asking:1")), &client, "model.asking:1");
    }
    let daemon = trial.coordinator(None);
    let run = client.wait();
    run.assert_code(1);
    assert!(run.failure().is_some_and(|said| said.contains("ended each of the 4 times that this turn ran")), "{run}");
    ended(daemon).assert_code(0);
    let stored = Stored::read(&trial.home);
    assert_eq!(stored.only().kinds().last().map(String::as_str), Some("turn failed"));
    node.end();
}
