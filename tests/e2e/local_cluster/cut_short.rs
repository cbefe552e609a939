//! A command that is killed while it brings a cluster up, and files that are kept.

use super::{Local, SOON};
use capstan_tests::process::{Signal, at};
use capstan_tests::wait::until_true;

#[test]
fn what_a_killed_command_left_is_said_and_taken_down() {
    let local = Local::new();
    let up = local.cluster(&["up", "--nodes", "1"]).start();
    until_true(SOON, "a first coordinator", || up.stderr().contains("coordinator-1 is ready"));
    let _ = up.crash();
    let names = local.names();
    assert!(at(&local.dir()).len() >= 2, "etcd and a coordinator go on");
    let again = local.up(&["--nodes", "1"]);
    again.assert_code(2);
    assert!(again.stderr.contains("was cut short"), "{again}");
    local.down(&[]).assert_code(0);
    local.assert_gone(&names);
}

#[test]
fn an_interrupted_command_takes_down_what_it_made() {
    let local = Local::new();
    let up = local.cluster(&["up", "--nodes", "1"]).start();
    until_true(SOON, "an etcd", || up.stderr().contains("etcd is ready"));
    let names = local.names();
    up.send(Signal::Interrupt);
    let up = up.wait();
    // It may have been done at this moment.
    if up.status.code() == Some(0) {
        local.down(&[]).assert_code(0);
    } else {
        assert!(up.stderr.contains("interrupted"), "{up}");
        up.assert_code(130);
    }
    local.assert_gone(&names);
}

#[test]
fn files_are_kept_when_asked_for_and_are_in_the_way_of_the_next() {
    let local = Local::new();
    local.up(&["--ports", "--nodes", "1", "--coordinators", "1"]).assert_code(0);
    let down = local.down(&["--keep"]);
    down.assert_code(0);
    assert!(down.stderr.contains(&format!("files kept in {}", local.dir().display())), "{down}");
    assert!(local.dir().join("logs/node-1.log").exists() && at(&local.dir()).is_empty());
    let again = local.up(&["--ports"]);
    again.assert_code(2);
    assert!(again.stderr.contains("is not empty") && again.stderr.contains("--keep"), "{again}");
}
