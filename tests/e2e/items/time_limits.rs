//! Time limits of a profile, through the whole path: each ends the session as an outcome, with the output so far.

use crate::stage::Stage;
use capstan_tests::capstan::Home;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::json;

/// Runs a command under these limits, and gives what the model was told and the item's end.
fn told_under(limits: &str, cmd: &str) -> (String, serde_json::Value) {
    let call = Answer::calling("c1", "exec_command", &json!({"cmd": cmd, "login": false, "yield_time_ms": 30_000}));
    let stage = Stage::playing(Script::new().then(call).then(Answer::saying("done")));
    let profile = format!("\n[permissions.timed]\nextends = \":workspace\"\nlimits = {{ {limits} }}\n");
    stage.home.configure(&format!("{}{profile}", Home::configuration(&stage.server)));
    let run = stage.run(stage.exec_under("timed"));
    run.assert_code(0);
    let item = run.items_of("command_execution").remove(0);
    assert_eq!(item["status"], "failed", "{run}");
    (stage.output_of("c1"), item)
}

#[test]
fn a_silent_command_is_ended_by_the_idle_limit_and_its_output_is_told() {
    let (told, item) = told_under("idle_time = \"1s\", total_time = \"60s\"", "echo begun; sleep 71.0002314");
    assert!(
        told.contains("\nProcess ended by Capstan: idle time limit of 1 s reached\n") && told.ends_with("Output:\nbegun\n"),
        "{told}"
    );
    assert_eq!(item["aggregated_output"], "begun\n");
}

#[test]
fn a_busy_command_is_ended_by_the_total_limit_and_its_output_is_told() {
    let (told, _) = told_under("idle_time = \"60s\", total_time = \"2s\"", "while :; do echo tick; sleep 0.2; done");
    assert!(
        told.contains("\nProcess ended by Capstan: total time limit of 2 s reached\n") && told.contains("Output:\ntick\n"),
        "{told}"
    );
}
