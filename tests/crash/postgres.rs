//! The same with the threads in PostgreSQL, which is killed together with the coordinator, and started again after it.

use crate::house::{Node, Trial, ended, killed};
use crate::{drawn, oracle};
use capstan_store::StoreLocation;
use capstan_tests::postgres::PostgresServer;
use capstan_tests::stored::Stored;

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
