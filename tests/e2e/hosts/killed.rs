//! A coordinator, and a node, that die while calls run on two hosts.

use super::{Fleet, on, waits_for};
use crate::scripted::{contains, exited, says, step};
use capstan_types::event::EventBody;
use std::fs;

#[test]
fn the_next_coordinator_attaches_to_the_sessions_on_both_hosts() {
    let fleet = Fleet::start();
    let steps = [
        step([], [on("a", "a", &waits_for("go")), on("b", "b", &waits_for("go"))]),
        step([contains("a", "Output:\none\ntwo\n"), contains("b", "Output:\none\ntwo\n")], [says("Done.")]),
    ];
    let coordinator = fleet.coordinator(&steps);
    let client = fleet.exec(&coordinator).start();
    ["a/began", "b/began"].into_iter().for_each(|file| fleet.until_there(file));
    let coordinator = fleet.coordinator_again(coordinator);
    for name in ["a", "b"] {
        fs::write(fleet.dir(name).join("go"), "").expect("a file can be written");
    }
    let run = client.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    for name in ["a", "b"] {
        let began = fs::read_to_string(fleet.dir(name).join("began")).expect("the command ran");
        assert_eq!(began, "begun\n", "it ran twice on {name}");
    }
    let stored = crate::stored::Stored::read(&coordinator.home);
    let continued = stored.only().events.iter().filter(|event| event.body == EventBody::TurnContinued { times: 1 }).count();
    assert_eq!(continued, 1, "{stored:#?}");
}

#[test]
fn a_host_that_is_lost_in_the_middle_ends_its_calls_with_the_truth_and_the_others_go_on() {
    let mut fleet = Fleet::start();
    let steps = [
        step([], [on("a", "a", &waits_for("go")), on("b", "b", &waits_for("go"))]),
        step(
            [exited("a", 0), contains("b", "node b did not report what came of it: ")],
            [on("again", "b", "echo hello"), on("fine", "c", "echo hello")],
        ),
        step([contains("again", "host b cannot be used now: "), exited("fine", 0)], [says("Done.")]),
    ];
    let coordinator = fleet.coordinator(&steps);
    let client = fleet.exec(&coordinator).start();
    ["a/began", "b/began"].into_iter().for_each(|file| fleet.until_there(file));
    fleet.kill("b");
    fs::write(fleet.dir("a").join("go"), "").expect("a file can be written");
    let run = client.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    // What the dead node started is still there, and ends when it is let.
    fs::write(fleet.dir("b").join("go"), "").expect("a file can be written");
    let dir = fleet.dir("b");
    capstan_tests::wait::until_true(crate::registry::SOON, "the end of what was left", || {
        capstan_tests::process::at(&dir).is_empty()
    });
}
