//! The same with the threads in PostgreSQL, which is killed together with the coordinator, and started again after it; or killed and started again
//! under a coordinator that lives on.

use crate::house::{Node, TURN, Trial, ended, killed};
use crate::living::Living;
use crate::{drawn, from_environment, oracle, script};
use capstan_store::StoreLocation;
use capstan_tests::postgres::PostgresServer;
use capstan_tests::stored::Stored;
use capstan_tests::wait;

#[test]
fn a_turn_goes_on_when_its_database_was_killed_with_its_coordinator() {
    let (node, server) = (Node::start(), PostgresServer::start());
    let url = server.url();
    let location = StoreLocation::Postgres(url.parse().expect("a URL"));
    // A share of the points: each of these takes a database's start.
    for point in drawn().iter().skip(2).step_by(5) {
        println!("{point}");
        let trial = Trial::new(&node, Some(url.clone()));
        let daemon = trial.coordinator(Some(point));
        let client = trial.client();
        killed(daemon, &client, point);
        server.kill();
        server.start_again();
        let daemon = trial.coordinator(None);
        let run = client.wait();
        ended(daemon).assert_code(0);
        let stored = Stored::of(&location);
        let thread = stored.threads.iter().find(|thread| run.stdout.contains(&thread.record.id.to_string()));
        oracle::judge(point, &run, thread.expect("the thread is stored"), &trial);
    }
    node.end();
}

#[test]
fn a_turn_goes_on_when_its_database_was_started_anew_under_it() {
    let (node, server) = (Node::start(), PostgresServer::start());
    let url = server.url();
    let location = StoreLocation::Postgres(url.parse().expect("a URL"));
    // At the beginning, in the middle and near the end of a turn.
    for lines in [2, 5, 9] {
        let trial = Trial::new(&node, Some(url.clone()));
        let daemon = trial.coordinator(None);
        let client = trial.client();
        wait::until_true(TURN, "some events", || client.stdout().lines().count() >= lines);
        server.kill();
        server.start_again();
        let run = client.wait();
        ended(daemon).assert_code(0);
        let stored = Stored::of(&location);
        let thread = stored.threads.iter().find(|thread| run.stdout.contains(&thread.record.id.to_string()));
        oracle::judge(&format!("the database at line {lines}"), &run, thread.expect("the thread is stored"), &trial);
    }
    node.end();
}

#[test]
fn a_command_that_ends_while_the_database_is_away_is_stored_when_it_is_back() {
    let (node, server) = (Node::start(), PostgresServer::start());
    let location = StoreLocation::Postgres(server.url().parse().expect("a URL"));
    let trial = Trial::new(&node, Some(server.url()));
    script::write_waiting(&trial.script(), 0);
    let daemon = trial.coordinator(None);
    let living = Living::begin(trial, location);
    server.kill();
    living.go();
    wait::until_true(TURN, "the end of the command", || living.trial.read("log") == "began\nwent\n");
    server.start_again();
    assert_eq!(living.said_once_ended(1), ["Do it."]);
    living.assert_ran_once();
    living.over(daemon).assert_code(0);
    node.end();
}

/// It takes as long as a coordinator waits for its database, and is tried where rounds are many.
#[test]
fn a_turn_whose_database_stays_away_fails_clearly_and_goes_on_when_it_is_back() {
    if from_environment("CAPSTAN_CRASHES", 1) < 2 {
        return;
    }
    let (node, server) = (Node::start(), PostgresServer::start());
    let location = StoreLocation::Postgres(server.url().parse().expect("a URL"));
    let trial = Trial::new(&node, Some(server.url()));
    script::write_waiting(&trial.script(), 1);
    let daemon = trial.coordinator(None);
    let living = Living::begin(trial, location);
    let before = living.stored();
    server.kill();
    living.go();
    living.client.until_line("the end of the turn", |line| line["type"] == "turn.failed");
    let said = living.client.stdout();
    assert!(said.contains("cannot be reached") && said.contains("what was stored before is kept"), "{said}");
    server.start_again();
    assert!(living.stored().events.starts_with(&before.events), "something stored is lost");
    living.trial.exec(&["resume", &before.record.id.to_string(), "Second."]).run().assert_code(0);
    assert_eq!(living.said_once_ended(2), ["Do it.", "Second."]);
    living.assert_ran_once();
    living.over(daemon).assert_code(1);
    node.end();
}
