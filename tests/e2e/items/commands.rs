//! Commands that run to their end, end by a signal, or are never started.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::Run;
use capstan_tests::responses_server::{Answer, Script};
use regex::Regex;
use serde_json::{Value, json};

/// Runs one call, then a message.
fn one_call(arguments: &Value) -> (Stage, Run) {
    let script = Script::new().then(Answer::calling("c1", "exec_command", arguments)).then(Answer::saying("done"));
    let stage = Stage::playing(script);
    let run = stage.run(stage.exec());
    run.assert_code(0);
    stage.server.assert_played();
    (stage, run)
}

#[test]
fn a_command_is_told_whole_to_the_person_and_to_the_model() {
    let (stage, run) = one_call(&json!({"cmd": "echo out; echo err >&2; exit 3", "login": false}));
    let command = "/bin/bash -c 'echo out; echo err >&2; exit 3'";
    assert_eq!(told(&run), Turn::begun().command(command, "out\nerr\n", 3).message("done").completed_after(2), "{run}");
    let form = "^Chunk ID: [0-9a-f]{6}\nWall time: [0-9]+\\.[0-9]{4} seconds\nProcess exited with code 3\nOriginal token count: 2\n\
                Output:\nout\nerr\n$";
    let output = stage.output_of("c1");
    assert!(Regex::new(form).unwrap().is_match(&output), "{output}");
}

#[test]
fn a_command_works_in_the_workspace_or_in_the_directory_it_names() {
    let (stage, _) = one_call(&json!({"cmd": "mkdir -p deep/er && cd deep/er && pwd", "login": false}));
    assert!(stage.output_of("c1").ends_with(&format!("{}/deep/er\n", stage.workspace().display())));
    let (stage, run) = one_call(&json!({"cmd": "pwd", "login": false, "workdir": "/usr"}));
    assert!(stage.output_of("c1").ends_with("Output:\n/usr\n"), "{run}");
}

#[test]
fn a_command_that_is_ended_by_a_signal_says_which() {
    for arguments in
        [json!({"cmd": "kill -TERM $$", "login": false}), json!({"cmd": "kill -TERM $$", "login": false, "tty": true})]
    {
        let (stage, run) = one_call(&arguments);
        let command = "/bin/bash -c 'kill -TERM $$'";
        let (end, reason) = (json!({"signalled": {"signal": 15}}), "Process exited with signal 15 (SIGTERM)");
        let turn = Turn::begun().command_started(command).command_ended(0, command, "", &json!(143), &end, reason);
        assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
        assert!(stage.output_of("c1").contains("\nProcess exited with signal 15 (SIGTERM)\n"));
    }
}

#[test]
fn what_a_command_left_behind_is_ended_with_it() {
    let (_, run) = one_call(&json!({"cmd": "sleep 71.0002311 & setsid sleep 71.0002311 & echo left", "login": false}));
    assert_eq!(run.items_of("command_execution")[0]["aggregated_output"], "left\n", "{run}");
    assert!(capstan_tests::process::mentioning("71.0002311").is_empty());
}

/// A command for which nothing was started is an item that failed, and the model is told why.
fn not_started(arguments: &Value, command: &str, reason: &str) {
    let (stage, run) = one_call(arguments);
    let reason = reason.replace("WORKSPACE", &stage.workspace().display().to_string());
    let turn = Turn::begun().command_not_run(command, "failed", &reason);
    assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
    assert_eq!(stage.output_of("c1"), format!("exec_command failed: {reason}"));
}

#[test]
fn a_working_directory_that_is_not_there_is_an_error_and_no_exit_code() {
    let arguments = json!({"cmd": "echo never", "login": false, "workdir": "no/such"});
    let reason = "cannot enter the working directory `WORKSPACE/no/such`: it does not exist, or the sandbox does not \
                  show it: name it as a readable directory";
    not_started(&arguments, "/bin/bash -c 'echo never'", reason);
}

#[test]
fn a_shell_that_is_not_there_is_an_error_and_no_exit_code() {
    let reason = "cannot run `/no/such/shell`: it was not found; check the name, the working directory `WORKSPACE` and PATH";
    not_started(&json!({"cmd": "echo never", "shell": "/no/such/shell"}), "/no/such/shell -lc 'echo never'", reason);
}

#[test]
fn a_shell_that_cannot_be_executed_is_an_error_and_no_exit_code() {
    let reason = "cannot run `/etc/passwd`: it is not executable, or the sandbox hides it; check the name, the working directory \
                  `WORKSPACE` and PATH";
    not_started(&json!({"cmd": "echo never", "shell": "/etc/passwd"}), "/etc/passwd -lc 'echo never'", reason);
}
