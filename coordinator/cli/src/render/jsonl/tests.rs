use super::*;
use crate::render::fixture;
use capstan_types::history::Usage;
use capstan_types::item::PlanStatus;

fn shown(events: &[Event]) -> String {
    let mut lines = JsonLines::new(Vec::new());
    events.iter().for_each(|event| lines.show(event).unwrap());
    String::from_utf8(lines.out).unwrap()
}

fn types(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let item = &line["item"];
        let plain = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", plain(&line["type"]), plain(&item["id"]), plain(&item["type"])).trim().to_owned()
    };
    text.lines().map(line).collect()
}

#[test]
fn a_turn_reads_like_one_of_codex() {
    insta::assert_snapshot!(shown(&fixture::turn()));
}

#[test]
fn a_failed_turn_tells_the_error_twice_and_ends_its_plan() {
    let mut bodies = fixture::opening();
    bodies.push(EventBody::ItemCompleted { item: fixture::item(1, fixture::plan(PlanStatus::Pending, PlanStatus::Pending)) });
    bodies.push(EventBody::TurnFailed { message: "no key".into() });
    let text = shown(&fixture::events(bodies));
    let expected = [
        "thread.started",
        "turn.started",
        "item.started item_0 todo_list",
        "item.completed item_0 todo_list",
        "error",
        "turn.failed",
    ];
    assert_eq!(types(&text), expected);
    assert!(text.ends_with(
        "{\"type\":\"error\",\"message\":\"no key\"}\n{\"type\":\"turn.failed\",\"error\":{\"message\":\"no key\"}}\n"
    ));
}

#[test]
fn an_interrupted_turn_is_a_failed_one() {
    let text = shown(&fixture::events(vec![EventBody::TurnInterrupted]));
    assert_eq!(types(&text), ["error", "turn.failed"]);
}

#[test]
fn a_plan_that_does_not_change_is_told_once() {
    let same = || EventBody::ItemCompleted { item: fixture::item(1, fixture::plan(PlanStatus::Pending, PlanStatus::Pending)) };
    let next = EventBody::ItemCompleted { item: fixture::item(2, fixture::plan(PlanStatus::Completed, PlanStatus::Pending)) };
    let end = EventBody::TurnCompleted { usage: Usage::default() };
    let text = shown(&fixture::events(vec![same(), same(), next, end]));
    let expected =
        ["item.started item_0 todo_list", "item.updated item_0 todo_list", "item.completed item_0 todo_list", "turn.completed"];
    assert_eq!(types(&text), expected);
}

#[test]
fn a_reader_that_has_left_is_an_error_and_not_a_panic() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut lines = JsonLines::new(writer);
    let events = fixture::turn();
    let error = lines.show(&events[0]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}
