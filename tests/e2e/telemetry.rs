//! Spans: one trace for one call, from the turn to the node, in a collector that works; no harm from one that does not.

mod collector;

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::{Home, Run};
use capstan_tests::responses_server::{Answer, Script};
use collector::Collector;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// A collector may hold up the end of a run for 2 s. The rest is what a busy machine needs.
const LONGEST: Duration = Duration::from_secs(5);

fn run_with(endpoint: &str) -> (Stage, Run) {
    let call = Answer::calling("c1", "exec_command", &json!({"cmd": "exit 3", "login": false}));
    let stage = Stage::playing(Script::new().then(call).then(Answer::saying("a secret message")));
    let run = stage.run(stage.exec().env(ENDPOINT, endpoint));
    let turn = Turn::begun().command("/bin/bash -c 'exit 3'", "", 3).message("a secret message");
    assert_eq!(told(&run), turn.completed_after(2), "{run}");
    run.assert_code(0);
    assert_eq!(run.stderr, "", "a collector is nothing to be told of");
    (stage, run)
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

fn says(span: &Span, key: &str, value: &str) -> bool {
    attribute(span, key) == Some(&Value::StringValue(value.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spans_of_a_call_form_one_trace_from_the_turn_to_the_node() {
    let collector = Collector::start().await;
    let (_stage, _) = tokio::task::block_in_place(|| run_with(&collector.endpoint));
    let spans = collector.spans();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"));
    let turn = named("invoke_agent capstan");
    let tool = named("execute_tool exec_command");
    let start = named("capstan.node.v1.Exec/Start");
    // The node launches programs for its own purposes as well: a trial of its sandbox, and what takes note of the workspace.
    let mut launches = spans.iter().filter(|span| span.name == "launch" && span.trace_id == turn.trace_id);
    let launch = launches.find(|span| span.parent_span_id == start.span_id).expect("a launch of the call's");
    for (child, parent) in [(tool, turn), (start, tool), (launch, start)] {
        assert_eq!(child.trace_id, turn.trace_id, "{} is of another trace", child.name);
        assert_eq!(child.parent_span_id, parent.span_id, "{} is no child of {}", child.name, parent.name);
    }
    let chats: Vec<&Span> = spans.iter().filter(|span| span.name == "chat scripted-model").collect();
    assert_eq!(chats.len(), 2, "{names:?}");
    for chat in chats {
        assert_eq!((&chat.trace_id, &chat.parent_span_id), (&turn.trace_id, &turn.span_id));
        assert!(says(chat, "gen_ai.operation.name", "chat") && says(chat, "gen_ai.request.model", "scripted-model"));
        assert_eq!(attribute(chat, "gen_ai.usage.input_tokens"), Some(&Value::IntValue(100)));
    }
    assert!(says(turn, "gen_ai.operation.name", "invoke_agent") && says(tool, "gen_ai.operation.name", "execute_tool"));
    assert!(says(tool, "gen_ai.tool.name", "exec_command") && says(tool, "gen_ai.tool.call.id", "c1"));
    assert_eq!(attribute(tool, "process.exit.code"), Some(&Value::IntValue(3)));
    let everything = format!("{spans:?}");
    assert!(!everything.contains(Home::KEY) && !everything.contains("a secret message") && !everything.contains("exit 3"));
}

#[test]
fn a_collector_that_is_not_there_neither_fails_nor_delays_a_run() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, run) = run_with(&format!("http://{gone}"));
    assert!(run.took < LONGEST, "{run}");
}

#[test]
fn a_collector_that_hangs_neither_fails_nor_delays_a_run() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, run) = run_with(&format!("http://{}", silent.local_addr().unwrap()));
    assert!(run.took < LONGEST, "{run}");
}
