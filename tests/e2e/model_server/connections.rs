//! Servers that are silent, leave, or were never there.

use crate::expected::{Turn, told};
use crate::stage::Stage;
use capstan_tests::responses_server::{Answer, Reply, Script};
use std::net::TcpListener;
use std::time::Duration;

const SHORT_SILENCE: &str = "stream_idle_timeout_ms = 400";

/// A stage whose runs wait only for a moment.
fn impatient(script: Script) -> Stage {
    let stage = Stage::playing(script);
    let patient = capstan_tests::capstan::Home::configuration(&stage.server);
    stage.home.configure(&patient.replace("stream_idle_timeout_ms = 2000", SHORT_SILENCE));
    stage
}

#[test]
fn silence_is_ended_by_the_idle_time_out_and_followed_by_another_try() {
    let silent =
        [Reply::silence(), Answer::saying("never heard").stalls_before(0), Answer::saying("never heard").stalls_before(4)];
    for reply in silent {
        let stage = impatient(Script::new().then(reply).then(Answer::saying("here")));
        let run = stage.run(stage.exec());
        let turn = Turn::begun().again(1, 2, "nothing came for 0.4 s").message("here").completed_after(1);
        assert_eq!(told(&run), turn, "{run}");
        run.assert_code(0);
        stage.server.assert_played();
    }
}

#[test]
fn a_server_that_is_always_silent_fails_the_turn_in_bounded_time() {
    let stage = impatient(Script::new().then_times(3, &Reply::silence()));
    let run = stage.run(stage.exec());
    let reason = "nothing came for 0.4 s";
    let message = format!("the provider did not answer: {reason} (tried 3 times)");
    assert_eq!(told(&run), Turn::begun().again(1, 2, reason).again(2, 2, reason).failed(&message), "{run}");
    run.assert_code(1);
    assert!(run.took < Duration::from_secs(20), "{run}");
}

#[test]
fn a_server_that_hangs_up_before_it_answers_is_asked_again() {
    let stage = Stage::playing(Script::new().then(Reply::hang_up()).then(Answer::saying("here")));
    let run = stage.run(stage.exec());
    let reason = "the connection broke before an answer came: connection closed before message completed";
    assert_eq!(told(&run), Turn::begun().again(1, 2, reason).message("here").completed_after(1), "{run}");
    run.assert_code(0);
    stage.server.assert_played();
}

#[test]
fn a_server_that_is_not_there_fails_the_turn_with_its_address() {
    let stage = Stage::playing(Script::new());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let here = stage.server.address().to_string();
    let config = capstan_tests::capstan::Home::configuration(&stage.server).replace(&here, &free.to_string());
    stage.home.configure(&config);
    let run = stage.run(stage.exec());
    let reason = "cannot connect: Connection refused (os error 111)";
    let message = format!("the provider did not answer: {reason} (tried 3 times)");
    assert_eq!(told(&run), Turn::begun().again(1, 2, reason).again(2, 2, reason).failed(&message), "{run}");
    run.assert_code(1);
    assert_eq!(stage.server.requests().len(), 0);
}
