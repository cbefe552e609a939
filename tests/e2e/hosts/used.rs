//! What the model sees of its hosts, and what it does on several at once.

use super::{Fleet, on, waits_for};
use crate::scripted::{call, contains, exited, matches, says, step};
use serde_json::json;
use std::fs;

#[test]
fn a_model_sees_its_hosts_and_its_calls_run_on_two_of_them_at_once() {
    let fleet = Fleet::start();
    let root = fleet.here.root().display().to_string();
    let waits = format!("{}; pwd", waits_for("go"));
    let patch = "*** Begin Patch\n*** Add File: new.txt\n+from the model\n*** End Patch\n";
    let steps = [
        step([], [call("list", "list_hosts", &json!({})), on("foreign", "secret", "id")]),
        step(
            [
                contains("list", "3 hosts:\n- a (home): "),
                matches("list", &format!(r"\n- b: .* directory {root}/b\n- c: .* directory {root}/c")),
                contains("foreign", "this thread may not use a host `secret`; its hosts are: a, b, c"),
            ],
            [on("a", "a", &waits), on("b", "b", &waits)],
        ),
        step(
            [contains("a", &format!("\ntwo\n{root}/a\n")), contains("b", &format!("\ntwo\n{root}/b\n"))],
            [
                call("patch", "apply_patch", &json!({ "input": patch, "host": "c" })),
                call(
                    "cat",
                    "exec_command",
                    &json!({ "cmd": "cat", "stdin": true, "yield_time_ms": 250, "host": "b", "login": false }),
                ),
            ],
        ),
        step(
            [contains("patch", "Success. Updated the following files:"), contains("cat", "session ID 1002")],
            [
                call("said", "write_stdin", &json!({ "session_id": 1002, "chars": "hello\n" })),
                call("sessions", "sessions", &json!({ "action": "list" })),
            ],
        ),
        step(
            [contains("said", "hello"), contains("sessions", "  1002 on b (running): ")],
            [call("end", "sessions", &json!({ "action": "end", "session_id": 1002 }))],
        ),
        step([contains("end", "killed by the model")], [says("Done.")]),
    ];
    let coordinator = fleet.coordinator(&steps);
    let client = fleet.exec(&coordinator).start();
    // Neither ends before both have begun.
    ["a/began", "b/began"].into_iter().for_each(|file| fleet.until_there(file));
    for name in ["a", "b"] {
        fs::write(fleet.dir(name).join("go"), "").expect("a file can be written");
    }
    let run = client.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
    assert_eq!(fs::read_to_string(fleet.dir("c").join("new.txt")).expect("the patch was applied there"), "from the model\n");
    let nodes = run.items_of("command_execution").into_iter().map(|item| item["capstan"]["node"].clone()).collect::<Vec<_>>();
    assert!(nodes.contains(&"a".into()) && nodes.contains(&"b".into()), "{nodes:?}");
}

#[test]
fn one_command_on_all_hosts_is_told_by_group_with_the_host_that_is_dead() {
    let mut fleet = Fleet::start();
    let steps = [
        step([], [on("held", "a", &waits_for("go"))]),
        step([exited("held", 0)], [call("all", "run_on_all", &json!({ "cmd": "echo same" }))]),
        step(
            [
                contains("all", "Of 3 hosts, 2 exited with code 0, 1 not started in "),
                contains("all", "== 2 hosts: a, b\nProcess exited with code 0\nsame\n"),
                contains("all", "== 1 host: c\nNot started: host c cannot be used now: "),
            ],
            [call("some", "run_on_all", &json!({ "cmd": "pwd; exit 3", "hosts": "a,b" }))],
        ),
        step(
            [contains("some", "Of 2 hosts, 2 ended otherwise"), contains("some", "== 1 host: b\nProcess exited with code 3\n")],
            [says("Done.")],
        ),
    ];
    let coordinator = fleet.coordinator(&steps);
    let client = fleet.exec(&coordinator).start();
    fleet.until_there("a/began");
    fleet.kill("c");
    fs::write(fleet.dir("a").join("go"), "").expect("a file can be written");
    let run = client.wait();
    run.assert_code(0);
    assert_eq!(run.final_message().as_deref(), Some("Done."), "{run}");
}

#[test]
fn hosts_that_are_not_there_are_told_before_anything_begins() {
    let fleet = Fleet::start();
    let coordinator = fleet.coordinator(&[step([], [says("Done.")])]);
    for (hosts, said) in [
        ("a,nobody", "node nobody is not registered; the registered nodes are: a, b, c"),
        ("zone=nowhere", "do not match the selector"),
        ("a,,b", "is no host"),
    ] {
        let run = coordinator.exec(fleet.here.root()).args(["--hosts", hosts]).run();
        run.assert_code(2);
        assert!(run.stderr.contains(said), "{run}");
    }
}
