//! What the model is sent.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script, Usage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

#[test]
fn the_first_request_tells_the_model_where_it_is_and_what_it_may_do() {
    let stage = Stage::playing(Script::new().then(Answer::saying("done")));
    stage.run(stage.exec()).assert_code(0);
    let requests = stage.server.requests();
    let text = serde_json::to_string_pretty(&sorted(&requests[0].body)).unwrap();
    let thread = requests[0].body["prompt_cache_key"].as_str().unwrap_or("none").to_owned();
    let text = text.replace(&stage.workspace().display().to_string(), "WORKSPACE").replace(&thread, "THREAD");
    let of_the_day = regex::Regex::new("<(system|date)>[^<]*<").expect("a pattern");
    let text = of_the_day.replace_all(&text, "<$1>WHATEVER<");
    insta::assert_snapshot!(text);
    assert_eq!(requests[0].header("accept"), Some("text/event-stream"));
    assert_eq!(requests[0].tools(), ["exec_command", "write_stdin", "apply_patch", "sessions", "view_image"]);
}

/// With sorted keys, whatever order this build of the library keeps them in.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<BTreeMap<_, _>>().into_iter().collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[test]
fn reasoning_goes_back_sealed_and_in_its_place_with_the_next_request() {
    let first = Answer::new().reasoning("I think.", "c2VhbGVk").message("I look.").call(
        "c1",
        "exec_command",
        &json!({"cmd": "true", "login": false}),
    );
    let stage = Stage::playing(Script::new().then(first.completed()).then(Answer::saying("done")));
    let run = stage.run(stage.exec());
    let turn = Turn::begun().reasoning("I think.").message("I look.").command("/bin/bash -c true", "", 0);
    assert_eq!(told(&run), turn.message("done").completed_after(2), "{run}");
    let requests = stage.server.requests();
    assert_eq!(requests[0].body["include"], json!(["reasoning.encrypted_content"]));
    let before = requests[0].input().len();
    assert_eq!(requests[1].input()[..before], *requests[0].input(), "the history is sent unchanged");
    let added = &requests[1].input()[before..];
    let kinds: Vec<&str> = added.iter().map(|item| item["type"].as_str().unwrap_or("message")).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call", "function_call_output"]);
    assert_eq!(added[0]["encrypted_content"], "c2VhbGVk");
    assert!(added[0]["summary"].is_array(), "the API wants it, be it empty: {}", added[0]);
    assert_eq!((&added[2]["call_id"], &added[3]["call_id"]), (&json!("c1"), &json!("c1")));
}

#[test]
fn the_usage_of_a_turn_is_the_sum_of_its_answers() {
    let call = Answer::new().call("c1", "exec_command", &json!({"cmd": "true", "login": false}));
    let first = call.completed_using(Usage { input: 1000, cached: 3, output: 20, reasoning: 7 });
    let second = Answer::new().message("done").completed_using(Usage { input: 1100, cached: 1000, output: 5, reasoning: 0 });
    let stage = Stage::playing(Script::new().then(first).then(second));
    let run = stage.run(stage.exec());
    let usage = json!({"input_tokens": 2100, "cached_input_tokens": 1003, "cache_write_input_tokens": 0, "output_tokens": 25,
        "reasoning_output_tokens": 7});
    assert_eq!(told(&run), Turn::begun().command("/bin/bash -c true", "", 0).message("done").completed(&usage), "{run}");
}

#[test]
fn an_output_schema_reaches_every_request_and_the_last_message_its_file() {
    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let call = Answer::calling("c1", "exec_command", &json!({"cmd": "true", "login": false}));
    let stage = Stage::playing(Script::new().then(call).then(Answer::saying("{\"n\":1}")));
    let (file, last) = (stage.home.root().join("schema.json"), stage.home.root().join("last.txt"));
    fs::write(&file, schema.to_string()).unwrap();
    let run = stage.run(stage.exec().arg("--output-schema").arg(file).arg("-o").arg(&last));
    run.assert_code(0);
    for request in stage.server.requests() {
        let format = &request.body["text"]["format"];
        assert_eq!(
            (&format["type"], &format["strict"], &format["schema"]),
            (&json!("json_schema"), &json!(true), &schema),
            "{format}"
        );
    }
    assert_eq!(fs::read_to_string(last).unwrap(), "{\"n\":1}");
}

#[test]
fn images_reach_the_request_with_the_prompt() {
    // The smallest picture there is: one black pixel.
    const PIXEL: &[u8] = &[
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01,
        0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41,
        0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x48, 0xaf, 0xa4, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49,
        0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    let stage = Stage::playing(Script::new().then(Answer::saying("a pixel")));
    let file = stage.home.root().join("pixel.png");
    fs::write(&file, PIXEL).unwrap();
    stage.run(stage.exec().arg("-i").arg(file)).assert_code(0);
    let requests = stage.server.requests();
    let parts: Vec<&Value> = requests[0].input().iter().filter_map(|item| item["content"].as_array()).flatten().collect();
    let image = parts.iter().find(|part| part["type"] == "input_image").expect("the request holds an image");
    let url = image["image_url"].as_str().unwrap();
    assert!(url.starts_with("data:image/png;base64,iVBORw0KGgo"), "{url}");
    assert!(parts.iter().any(|part| part["type"] == "input_text" && part["text"] == "Do it."));
}
