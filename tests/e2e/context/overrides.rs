//! What one turn overrides, the next one sees.

use super::{Talk, texts};
use crate::stage::Stage;
use crate::stored::Stored;
use capstan_proto::wire::client::{ApprovalPolicy, SandboxMode, StartTurnRequest, TurnOverrides, WritableRoots};
use capstan_tests::responses_server::{Answer, Script};
use capstan_types::event::EventBody;
use serde_json::json;
use std::fs;

fn talk(turns: usize) -> Talk {
    let stage = Stage::playing(Script::new().then_times(turns, &Answer::saying("done")));
    fs::create_dir(stage.file("sub")).expect("a directory can be made");
    Talk::begun(stage)
}

/// The last thing that the developer says in a request.
fn last_told(talk: &Talk, request: usize) -> String {
    let told = texts(&talk.stage.server.requests()[request], "system");
    let told = told.last().cloned().unwrap_or_default();
    told.replace(&talk.stage.home.root().join("work").display().to_string(), "[WORKSPACE]")
}

#[test]
fn the_turns_after_one_that_overrides_see_what_it_changed() {
    let talk = talk(4);
    let overrides = TurnOverrides {
        model: Some("scripted-model-2".to_owned()),
        effort: Some("high".to_owned()),
        cwd: Some(talk.stage.file("sub").display().to_string()),
        sandbox: Some(SandboxMode::ReadOnly.into()),
        approval: Some(ApprovalPolicy::OnRequest.into()),
        ..TurnOverrides::default()
    };
    assert_eq!(talk.turn(overrides), "turn completed");
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let talk = talk.killed_and_started_again();
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let requests = talk.stage.server.requests();
    let of = |request: usize| (requests[request].body["model"].clone(), requests[request].body["reasoning"]["effort"].clone());
    assert_eq!(of(0), (json!("scripted-model"), json!(null)));
    for (request, sent) in requests.iter().enumerate().take(4).skip(1) {
        assert_eq!(of(request), (json!("scripted-model-2"), json!("high")), "request {request}");
        insta::assert_snapshot!("the_change", last_told(&talk, request));
        assert_eq!(texts(sent, "system").len(), 2, "told once, and then it is in the history");
    }
    let stored = Stored::read(&talk.stage.home);
    let changes = stored.only().events.iter().filter(|event| matches!(event.body, EventBody::SettingsChanged { .. })).count();
    assert_eq!(changes, 1);
}

#[test]
fn a_session_of_a_later_turn_works_where_and_as_the_turn_before_it_was_told() {
    let call = Answer::calling(
        "c1",
        "exec_command",
        &json!({"cmd": "pwd; touch here && echo made; touch ../x || echo refused", "login": false}),
    );
    let script = Script::new().then_times(2, &Answer::saying("done")).then(call).then(Answer::saying("done"));
    let stage = Stage::playing(script);
    fs::create_dir(stage.file("sub")).expect("a directory can be made");
    let talk = Talk::begun(stage);
    let overrides = TurnOverrides {
        cwd: Some(talk.stage.file("sub").display().to_string()),
        writable_roots: Some(WritableRoots::default()),
        network_access: Some(false),
        ..TurnOverrides::default()
    };
    assert_eq!(talk.turn(overrides), "turn completed");
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let output = talk.stage.output_of("c1");
    assert!(output.contains(&format!("{}\nmade\n", talk.stage.file("sub").display())), "{output}");
    assert!(output.ends_with("refused\n") && !talk.stage.file("x").exists(), "{output}");
}

#[test]
fn what_cannot_be_had_fails_its_turn_and_changes_nothing() {
    let talk = talk(2);
    let nowhere = TurnOverrides { cwd: Some("/no/such/dir".to_owned()), ..TurnOverrides::default() };
    assert_eq!(talk.turn(nowhere), "turn failed");
    let nobody = TurnOverrides { provider: Some("nobody".to_owned()), ..TurnOverrides::default() };
    assert_eq!(talk.turn(nobody), "turn failed");
    assert_eq!(talk.turn(TurnOverrides::default()), "turn completed");
    let stored = Stored::read(&talk.stage.home);
    let failed: Vec<String> = stored
        .only()
        .events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::TurnFailed { message } => Some(message.clone()),
            _ => None,
        })
        .collect();
    assert!(failed[0].contains("`/no/such/dir` cannot be a workspace") && failed[1].contains("nobody"), "{failed:?}");
    assert_eq!(talk.stage.server.requests().len(), 2, "the model was asked for nothing");
    assert_eq!(texts(&talk.stage.server.requests()[1], "system").len(), 1);
}

#[test]
fn what_cannot_be_meant_is_refused_before_a_turn_begins() {
    let talk = talk(1);
    let refused = |overrides| {
        let request = StartTurnRequest { text: "x".to_owned(), overrides: Some(overrides), ..StartTurnRequest::default() };
        talk.start(request).expect_err("it is refused").message().to_owned()
    };
    let said = refused(TurnOverrides { model: Some(" ".to_owned()), ..TurnOverrides::default() });
    assert!(said.contains("the model is empty; leave it out to keep the thread's"), "{said}");
    let said = refused(TurnOverrides { cwd: Some("relative".to_owned()), ..TurnOverrides::default() });
    assert!(said.contains("overrides.cwd"), "{said}");
    assert_eq!(talk.ends().len(), 1);
}
