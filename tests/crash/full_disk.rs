//! A disk that fills up under a coordinator that lives on.

use crate::house::{Node, Trial};
use crate::living::Living;
use crate::script;
use capstan_store::StoreLocation;
use capstan_tests::small_disk::SmallDisk;
use std::fs;

const SENTENCE: &str =
    "the disk that holds the store is full; free some space and resume the thread: nothing that was stored is lost";

#[test]
fn a_turn_that_a_full_disk_stopped_goes_on_when_there_is_room_and_somebody_asks() {
    let node = Node::start();
    let trial = Trial::new(&node, None);
    let disk = SmallDisk::mount(&trial.home.path());
    script::write_waiting(&trial.script(), 1);
    let daemon = trial.coordinator(None);
    let store = StoreLocation::Sqlite(trial.home.path().join("capstan.db"));
    let living = Living::begin(trial, store);
    let before = living.stored();
    let filling = disk.fill();
    living.go();
    let Living { trial, client, .. } = &living;
    client.until_line("the end of the turn", |line| line["type"] == "turn.failed");
    assert!(client.stdout().contains(SENTENCE), "{}", client.stdout());
    let full = living.stored();
    assert!(full.events.starts_with(&before.events) && full.entries.starts_with(&before.entries), "something stored is lost");

    fs::remove_file(filling).expect("the file is ours");
    let resumed = trial.exec(&["resume", &before.record.id.to_string(), "Second."]).run();
    resumed.assert_code(0);
    assert_eq!(living.said_once_ended(2), ["Do it.", "Second."]);
    living.assert_ran_once();
    assert!(living.stored().events.starts_with(&full.events));
    let run = living.over(daemon);
    run.assert_code(1);
    assert_eq!(run.failure().as_deref(), Some(SENTENCE), "{run}");
    node.end();
}
