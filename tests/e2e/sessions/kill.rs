//! A session is ended by a person.

use super::{SOON, Stand};
use capstan_tests::process::mentioning;
use capstan_tests::wait;

#[test]
fn a_session_is_ended_with_its_whole_tree_and_its_end_is_told() {
    let stand = Stand::on_pipes("sleep 1000.0017 & setsid sleep 1000.0017 & wait");
    let id = stand.id();
    let run = stand.run(["kill", &id]);
    run.assert_code(0);
    assert!(run.stdout.starts_with(&format!("session {id} has ended: killed by ann (uid ")), "{run}");
    wait::until_true(SOON, "no process of the session", || mentioning("sleep 1000.0017").iter().all(|process| !process.runs()));
    let again = stand.run(["kill", &id]);
    again.assert_code(1);
    stand.end();
}

#[test]
fn a_signal_is_sent_and_what_comes_of_it_is_told() {
    let stand = Stand::on_pipes("trap 'echo usr1 > usr1' USR1; trap 'exit 5' TERM; echo set > set; while :; do sleep 0.05; done");
    stand.until_file("set");
    let id = stand.id();
    let run = stand.run(["kill", &id, "--signal", "usr1", "--timeout", "1"]);
    run.assert_code(1);
    assert!(run.stderr.contains("was sent SIGUSR1 and still runs after 1 s"), "{run}");
    stand.until_file("usr1");
    let run = stand.run(["kill", &id, "-s", "15"]);
    run.assert_code(0);
    assert!(run.stdout.ends_with("has ended: exit 5\n"), "{run}");
    stand.end();
}
