//! Servers that answer with a status that is an error.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::capstan::Home;
use capstan_tests::responses_server::{Answer, Reply, Script};
use std::time::Duration;

const LIMIT: &str = "429: Rate limit reached for requests";
const SERVER_ERROR: &str = "500: The server had an error while processing your request";

fn fine() -> Reply {
    Answer::saying("here")
}

#[test]
fn a_rate_limit_that_says_when_to_come_back_is_waited_out() {
    let stage = Stage::playing(Script::new().then(Reply::too_many_requests_until(1)).then(fine()));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().again(1, 2, LIMIT).message("here").completed_after(1), "{run}");
    run.assert_code(0);
    let requests = stage.server.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(1), "came back after {waited:?}");
}

#[test]
fn a_rate_limit_without_a_time_is_tried_again_after_a_pause() {
    let stage = Stage::playing(Script::new().then(Reply::too_many_requests()).then(fine()));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().again(1, 2, LIMIT).message("here").completed_after(1), "{run}");
    run.assert_code(0);
}

#[test]
fn a_rate_limit_that_does_not_end_fails_the_turn() {
    let stage = Stage::playing(Script::new().then_times(3, &Reply::too_many_requests()));
    let run = stage.run(stage.exec());
    let message = format!("the provider's rate limit was reached: {LIMIT} (tried 3 times; wait a minute and try again)");
    assert_eq!(told(&run), Turn::begun().again(1, 2, LIMIT).again(2, 2, LIMIT).failed(&message), "{run}");
    run.assert_code(1);
    stage.server.assert_played();
}

#[test]
fn a_rate_limit_of_an_hour_fails_the_turn_at_once_and_says_so() {
    let stage = Stage::playing(Script::new().then(Reply::too_many_requests_until(3600)));
    let run = stage.run(stage.exec());
    let message = format!("the provider's rate limit was reached: {LIMIT} (it asks to come back in 3600 s; try again then)");
    assert_eq!(told(&run), Turn::begun().failed(&message), "{run}");
    run.assert_code(1);
    stage.server.assert_played();
}

#[test]
fn server_errors_are_tried_again() {
    let stage = Stage::playing(Script::new().then_times(2, &Reply::server_error(500)).then(fine()));
    let run = stage.run(stage.exec());
    let turn = Turn::begun().again(1, 2, SERVER_ERROR).again(2, 2, SERVER_ERROR).message("here").completed_after(1);
    assert_eq!(told(&run), turn, "{run}");
    run.assert_code(0);
    stage.server.assert_played();
}

#[test]
fn a_server_that_is_always_unavailable_fails_the_turn_after_three_tries() {
    let stage = Stage::playing(Script::new().then_times(3, &Reply::server_error(503)));
    let run = stage.run(stage.exec());
    let reason = "503: The server had an error while processing your request";
    let message = format!("the provider did not answer: {reason} (tried 3 times)");
    assert_eq!(told(&run), Turn::begun().again(1, 2, reason).again(2, 2, reason).failed(&message), "{run}");
    run.assert_code(1);
    stage.server.assert_played();
}

/// Runs against a refusal after which there is no second try.
fn fatal(refusal: Reply, message: &str) {
    let stage = Stage::playing(Script::new().then(refusal));
    let run = stage.run(stage.exec());
    assert_eq!(told(&run), Turn::begun().failed(message), "{run}");
    assert_eq!(run.stderr, format!("error: {message}\n"), "the sentence, once");
    run.assert_code(1);
    stage.server.assert_played();
}

#[test]
fn a_key_that_is_refused_fails_the_turn_and_names_its_variable() {
    let said = format!("Incorrect API key provided: {}.", Home::KEY);
    fatal(
        Reply::refused(401, "invalid_api_key", &said),
        "model provider `scripted` refused the key from SCRIPTED_PROVIDER_KEY (401: Incorrect API key provided: [redacted].); set \
         SCRIPTED_PROVIDER_KEY to a valid key",
    );
}

#[test]
fn a_conversation_that_is_too_long_fails_the_turn_at_once() {
    fatal(
        Reply::refused(400, "context_length_exceeded", "Your input exceeds the context window of this model."),
        "the conversation is longer than the model's context window, also when it is shortened (there is nothing in it that could be left out); \
         ask for less at a time, use a model with a larger window, \
         or set model_context_window in config.toml to what the provider takes",
    );
}

#[test]
fn a_model_that_does_not_exist_fails_the_turn_at_once() {
    fatal(
        Reply::refused(404, "model_not_found", "The model `scripted-model` does not exist."),
        "the provider refused the request: 404: The model `scripted-model` does not exist.",
    );
}
