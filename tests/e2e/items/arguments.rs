//! Calls that cannot be carried out as they were written: the model is told, and the turn goes on.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::json;

/// Runs with one call of these arguments, and gives what the model was told.
fn told_of(tool: &str, arguments: &str) -> String {
    let call = Answer::new().call_with_text("c1", tool, arguments).completed();
    let stage = Stage::playing(Script::new().then(call).then(Answer::saying("I see.")));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().message("I see.").completed_after(2), "{run}");
    run.assert_code(0);
    stage.server.assert_played();
    stage.output_of("c1")
}

#[test]
fn arguments_that_are_not_json_are_told_to_the_model() {
    for arguments in ["{\"cmd\": \"ls", "ls -la", "[]", "\"ls\"", "null"] {
        let output = told_of("exec_command", arguments);
        assert!(output.starts_with("failed to parse function arguments: "), "{arguments}: {output}");
    }
}

#[test]
fn arguments_of_wrong_types_are_told_to_the_model() {
    let said = |tool, arguments: serde_json::Value| told_of(tool, &arguments.to_string());
    assert_eq!(
        said("exec_command", json!({"cmd": 7})),
        "failed to parse function arguments: invalid type: integer `7`, expected a string at line 1 column 8"
    );
    assert_eq!(said("exec_command", json!({})), "failed to parse function arguments: missing field `cmd` at line 1 column 2");
    assert!(said("exec_command", json!({"cmd": "ls", "tty": "yes"})).contains("expected a boolean"));
    assert!(said("exec_command", json!({"cmd": "ls", "yield_time_ms": -1})).contains("expected u64"));
    assert!(said("write_stdin", json!({"session_id": "one"})).contains("expected u32"));
}

#[test]
fn an_argument_that_a_tool_does_not_have_is_refused_and_not_ignored() {
    let output = told_of("exec_command", &json!({"cmd": "touch made", "sandbox": "none"}).to_string());
    assert!(output.starts_with("failed to parse function arguments: unknown field `sandbox`"), "{output}");
}

#[test]
fn an_empty_command_is_told_to_the_model() {
    let output = told_of("exec_command", &json!({"cmd": "  "}).to_string());
    assert_eq!(output, "exec_command failed: `cmd` must be a command without NUL bytes, and not empty");
}

#[test]
fn a_tool_that_does_not_exist_is_told_to_the_model() {
    assert_eq!(told_of("launch_rockets", "{}"), "unsupported call: launch_rockets");
    assert_eq!(told_of("shell", "{\"command\": [\"ls\"]}"), "unsupported call: shell");
}

#[test]
fn a_session_that_does_not_exist_is_told_to_the_model() {
    assert_eq!(told_of("write_stdin", "{\"session_id\": 4711}"), "write_stdin failed: Unknown process id 4711");
}
