//! Answers that come slowly, come twice, break off, or are not what they should be.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Reply, Script};
use serde_json::json;
use std::time::Duration;

const TEXT: &str = "All is well, and this is a sentence of some length.";

const CUT: &str = "the connection broke while the answer was read: unexpected EOF during chunk size line";
const ENDED: &str = "the stream ended before response.completed";
const NO_EVENTS: &str = "the answer held no events; check that base_url leads to the provider's API";

fn fine() -> Reply {
    Answer::saying(TEXT)
}

/// Runs with one bad answer and then a good one: the bad one is told, and nothing of it is kept.
fn mended_by_a_second_try(bad: Reply, reason: &str) {
    let stage = Stage::playing(Script::new().then(bad).then(fine()));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().again(1, 2, reason).message(TEXT).completed_after(1), "{run}");
    run.assert_code(0);
    stage.server.assert_played();
}

/// Runs with an answer after which there is no second try.
fn fatal(bad: Reply, message: &str) {
    let stage = Stage::playing(Script::new().then(bad));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().failed(message), "{run}");
    run.assert_code(1);
    assert_eq!(run.stderr, format!("error: {message}\n"), "the sentence, once");
    stage.server.assert_played();
}

#[test]
fn an_answer_that_takes_longer_than_the_longest_silence_is_whole_as_long_as_it_flows() {
    let slow = fine().dripped(7, Duration::from_millis(8));
    let stage = Stage::playing(Script::new().then(slow));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().message(TEXT).completed_after(1), "{run}");
    run.assert_code(0);
    assert!(run.took > Duration::from_secs(2), "the answer came faster than the longest silence: {run}");
}

#[test]
fn an_answer_cut_in_the_middle_of_an_event_is_asked_for_again() {
    for event in [0, 3, 6] {
        mended_by_a_second_try(fine().cut_in(event), CUT);
    }
}

#[test]
fn an_answer_that_is_cut_every_time_fails_the_turn_after_three_tries() {
    let stage = Stage::playing(Script::new().then_times(3, &fine().cut_in(5)));
    let run = stage.run(stage.exec());
    let message = format!("the provider did not answer: {CUT} (tried 3 times)");
    assert_eq!(told(&run), Turn::begun().again(1, 2, CUT).again(2, 2, CUT).failed(&message), "{run}");
    run.assert_code(1);
    stage.server.assert_played();
}

#[test]
fn an_answer_that_ends_without_its_last_event_is_asked_for_again() {
    mended_by_a_second_try(Answer::new().message("half").unfinished(), ENDED);
    mended_by_a_second_try(Reply::body("text/event-stream", ""), NO_EVENTS);
}

#[test]
fn an_event_that_is_not_json_fails_the_try_and_not_the_turn() {
    let broken = Answer::new().message("lost").raw("event: response.output_text.delta\ndata: {\"type\": \n\n").completed();
    mended_by_a_second_try(
        broken,
        "the stream broke inside an event, or sent one that is not JSON (EOF while parsing a value at line 1 column 8)",
    );
}

#[test]
fn an_event_of_an_unknown_type_is_passed_over() {
    let novel = "event: response.novelty\ndata: {\"type\":\"response.novelty\",\"x\":[1]}\n\n: a comment\n\n";
    let stage = Stage::playing(Script::new().then(Answer::new().raw(novel).message(TEXT).raw(novel).completed()));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().message(TEXT).completed_after(1), "{run}");
}

#[test]
fn a_page_instead_of_an_answer_is_no_answer() {
    let page = Reply::body("text/html", "<html><body>It works!</body></html>");
    mended_by_a_second_try(page, NO_EVENTS);
}

#[test]
fn a_failure_inside_an_answer_is_tried_again_or_not_by_its_code() {
    let failed = |code: &str, message: &str| Answer::new().message("half").failed(code, message);
    mended_by_a_second_try(failed("server_error", "Something broke."), "server_error: Something broke.");
    mended_by_a_second_try(failed("a_new_code", "Nobody knows."), "a_new_code: Nobody knows.");
    mended_by_a_second_try(failed("rate_limit_exceeded", "Please try again in 20ms."), "Please try again in 20ms.");
    fatal(
        failed("context_length_exceeded", "Your input is too long."),
        "the conversation is longer than the model's context window, also when it is shortened (there is nothing in it that could be left out); \
         ask for less at a time, use a model with a larger window, \
         or set model_context_window in config.toml to what the provider takes",
    );
    fatal(
        failed("insufficient_quota", "You exceeded your quota."),
        "the provider's rate limit was reached: You exceeded your quota. (the account's quota is used up; waiting does not help)",
    );
    fatal(failed("invalid_prompt", "No."), "the provider refused the request: No.");
}

#[test]
fn an_answer_that_is_incomplete_on_purpose_fails_the_turn_at_once() {
    let early = |why: &str| format!("the provider ended the answer early: {why}");
    fatal(
        Answer::new().message("half").incomplete("max_output_tokens"),
        &early("the model reached its limit of output tokens (max_output_tokens)"),
    );
    fatal(Answer::new().message("half").incomplete("content_filter"), &early("content_filter"));
}

#[test]
fn an_error_under_status_200_is_an_error() {
    mended_by_a_second_try(Reply::error_under_200("The gateway lost its backend."), NO_EVENTS);
}

#[test]
fn events_that_come_twice_are_told_once() {
    let call = json!({"type": "function_call", "id": "fc_0", "call_id": "c1", "name": "exec_command", "status": "completed",
        "arguments": json!({"cmd": "echo once >> file", "login": false}).to_string()});
    let done = json!({"type": "response.output_item.done", "sequence_number": 90, "output_index": 0, "item": call});
    let again = format!("event: response.output_item.done\ndata: {done}\n\n");
    let answer = Answer::new().call("c1", "exec_command", &json!({"cmd": "echo once >> file", "login": false}));
    let stage = Stage::playing(Script::new().then(answer.raw(&again).raw(&again).completed()).then(fine()));
    let run = stage.run(stage.exec());
    let command = "/bin/bash -c 'echo once >> file'";
    assert_eq!(told(&run), Turn::begun().command(command, "", 0).message(TEXT).completed_after(2), "{run}");
    assert_eq!(stage.text("file").as_deref(), Some("once\n"));
    run.assert_code(0);
}

#[test]
fn an_answer_without_anything_in_it_ends_the_turn() {
    let stage = Stage::playing(Script::new().then(Answer::new().completed()));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().completed_after(1), "{run}");
}
