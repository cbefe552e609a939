//! A final message that was to satisfy a schema.

use crate::stage::Stage;
use capstan_tests::capstan::Run;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::{Value, json};
use std::fs;

fn run(schema: &Value, message: &str) -> Run {
    let stage = Stage::playing(Script::new().then(Answer::saying(message)));
    let file = stage.home.root().join("schema.json");
    fs::write(&file, schema.to_string()).expect("a file can be written");
    stage.run(stage.exec().arg("--output-schema").arg(file))
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false})
}

#[test]
fn a_final_message_that_does_not_satisfy_its_schema_fails_the_turn() {
    run(&schema(), "{\"n\": 1}").assert_code(0);
    for (message, reason) in [("{\"n\": \"one\"}", "\"one\" is not of type \"integer\" (at /n)"), ("Sure!", "it is not JSON")] {
        let run = run(&schema(), message);
        run.assert_code(1);
        let said = format!("the final message does not satisfy the output schema: {reason}");
        assert!(run.stderr.contains(&said), "{run}");
        assert!(run.stdout.contains("agent_message"), "the message is shown all the same: {run}");
    }
}

#[test]
fn a_schema_that_is_none_is_refused_before_the_model_is_asked() {
    let run = run(&json!({"type": "nonsense"}), "never asked");
    run.assert_code(2);
    assert!(run.stderr.contains("the output schema cannot be used: "), "{run}");
}
