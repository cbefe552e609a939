//! Pictures that the model asks to see.

use super::{PIXEL, pictures};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Script};
use serde_json::json;
use std::fs;

#[test]
fn a_picture_of_the_workspace_is_shown_after_all_outputs_of_its_step() {
    let step = Answer::new()
        .call("look", "view_image", &json!({"path": "pixel.png"}))
        .call("run", "exec_command", &json!({"cmd": "true", "login": false}))
        .completed();
    let stage = Stage::playing(Script::new().then(step).then(Answer::saying("a pixel")));
    fs::write(stage.file("pixel.png"), PIXEL).expect("a file can be written");
    stage.run(stage.exec()).assert_code(0);
    let requests = stage.server.requests();
    let kinds: Vec<&str> =
        requests[1].input().iter().map(|item| item["type"].as_str().or_else(|| item["role"].as_str()).unwrap_or("?")).collect();
    let outputs = kinds.iter().rposition(|kind| *kind == "function_call_output").expect("there are outputs");
    assert_eq!(kinds[outputs - 1], "function_call_output", "{kinds:?}");
    assert_eq!(outputs + 2, kinds.len(), "the picture comes last: {kinds:?}");
    assert!(pictures(&requests[1])[0].starts_with("data:image/png;base64,iVBORw0KGgo"));
    assert!(stage.output_of("look").ends_with("pixel.png (image/png) follows."), "{}", stage.output_of("look"));
}

#[test]
fn what_is_no_picture_or_may_not_be_seen_is_refused_in_a_sentence() {
    let step = Answer::new()
        .call("script", "view_image", &json!({"path": "run.sh"}))
        .call("missing", "view_image", &json!({"path": "missing.png"}))
        .call("large", "view_image", &json!({"path": "large.png"}))
        .call("home", "view_image", &json!({"path": "../home/config.toml"}))
        .completed();
    let stage = Stage::playing(Script::new().then(step).then(Answer::saying("none")));
    fs::write(stage.file("run.sh"), "#!/bin/sh").expect("a file can be written");
    let large = [PIXEL, &vec![0; 6 << 20]].concat();
    fs::write(stage.file("large.png"), large).expect("a file can be written");
    stage.run(stage.exec()).assert_code(0);
    assert!(
        stage.output_of("script").contains("is no PNG, JPEG, GIF or WebP picture; convert it first"),
        "{}",
        stage.output_of("script")
    );
    assert!(stage.output_of("missing").contains("there is no file"), "{}", stage.output_of("missing"));
    assert!(stage.output_of("large").contains("make a smaller copy"), "{}", stage.output_of("large"));
    assert!(stage.output_of("home").starts_with("view_image: "), "{}", stage.output_of("home"));
    assert!(pictures(&stage.server.requests()[1]).is_empty());
}
