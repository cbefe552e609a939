//! Trouble after a tool has run: what it did is kept, and it does not run again.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Reply, Script};
use serde_json::{Value, json};

const SHOWN: &str = "/bin/bash -c 'echo ran | tee -a file'";

fn call() -> Value {
    json!({"cmd": "echo ran | tee -a file", "login": false})
}

#[test]
fn a_command_runs_once_whatever_happens_to_the_request_after_it() {
    let script = Script::new()
        .then(Answer::calling("c1", "exec_command", &call()))
        .then(Answer::saying("lost").cut_in(4))
        .then(Reply::server_error(500))
        .then(Answer::saying("here"));
    let stage = Stage::playing(script);
    let run = stage.run(stage.exec());
    let lines = told(&run);
    assert_eq!(lines[2..4], Turn::begun().command(SHOWN, "ran\n", 0).completed_after(0)[2..4], "{run}");
    assert_eq!(run.kinds()[4..], ["error", "error", "item.completed agent_message", "turn.completed"], "{run}");
    assert_eq!(stage.text("file").as_deref(), Some("ran\n"));
    let requests = stage.server.requests();
    let (first, last) = (&requests[1], &requests[3]);
    assert_eq!(first.body, last.body, "the same step asks the same");
    run.assert_code(0);
}

#[test]
fn a_turn_that_fails_after_a_command_keeps_what_was_told_of_it() {
    let script = Script::new()
        .then(Answer::new().message("I look.").call("c1", "exec_command", &call()).completed())
        .then(Reply::refused(400, "invalid_request_error", "No more."));
    let stage = Stage::playing(script);
    let run = stage.run(stage.exec());
    let turn = Turn::begun().message("I look.").command(SHOWN, "ran\n", 0);
    assert_eq!(told(&run), turn.failed("the provider refused the request: 400: No more."), "{run}");
    run.assert_code(1);
}
