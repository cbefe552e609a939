//! Looks and writes: how long they wait, and what they tell.

use super::fake::{Bench, Played, lost, release};
use crate::host::{HostError, Input};
use capstan_types::call::Outcome;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::output::clean::Cleaning;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

async fn running(tty: bool) -> (Bench, Arc<Played>) {
    let bench = Bench::new();
    let session = bench.host.will_start();
    let result = bench.call("exec_command", json!({"cmd": "bc", "tty": tty, "yield_time_ms": 250})).await;
    assert!(matches!(result.outcome, Outcome::Yielded { .. }));
    (bench, session)
}

/// Calls while the session acts, and gives what was told and how long it took.
async fn during(bench: &Bench, arguments: Value, acts: impl Future<Output = ()>) -> (String, Duration) {
    let began = Instant::now();
    let call = async { (bench.call("write_stdin", arguments).await.output, began.elapsed()) };
    let ((output, took), ()) = tokio::join!(call, acts);
    (output, took)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_as_soon_as_the_session_falls_silent() {
    let (bench, session) = running(true).await;
    let acts = async {
        sleep(Duration::from_millis(30)).await;
        session.write(b"4");
        sleep(Duration::from_millis(40)).await;
        session.write(b"2\n");
    };
    let (output, took) = during(&bench, json!({"session_id": 1000, "chars": "6*7\n", "yield_time_ms": 20_000}), acts).await;
    assert_eq!(took, Duration::from_millis(30 + 40 + 50));
    assert!(output.contains("Process running with session ID 1000\n") && output.ends_with("Output:\n42\n"), "{output}");
    assert_eq!(bench.host.writes.lock().unwrap()[..], ["6*7\n"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_answer_is_waited_for_inside_the_range() {
    for (asked, waited) in [(None, 250), (Some(1), 250), (Some(400), 400), (Some(u64::MAX), 30_000)] {
        let (bench, _session) = running(true).await;
        let (output, took) = during(&bench, json!({"session_id": 1000, "chars": "x", "yield_time_ms": asked}), async {}).await;
        assert_eq!(took, Duration::from_millis(waited), "asked for {asked:?}");
        assert!(output.ends_with("Original token count: 0\nOutput:\n"), "{output}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_look_waits_for_output_and_then_for_silence() {
    let (bench, session) = running(false).await;
    let acts = async {
        for line in 0..4 {
            sleep(Duration::from_millis(400)).await;
            session.write(format!("line {line}\n").as_bytes());
        }
    };
    let (output, took) = during(&bench, json!({"session_id": 1000}), acts).await;
    assert_eq!(took, Duration::from_millis(4 * 400 + 500));
    assert!(output.ends_with("line 0\nline 1\nline 2\nline 3\n"), "{output}");

    let (output, took) = during(&bench, json!({"session_id": 1000, "yield_time_ms": 1}), async {}).await;
    assert_eq!(took, Duration::from_secs(5));
    assert!(output.ends_with("Output:\n"), "what was told is not told again: {output}");
}

#[tokio::test(start_paused = true)]
async fn output_that_waits_is_shown_without_waiting_for_more() {
    let (bench, session) = running(false).await;
    session.write(b"done\n");
    sleep(Duration::from_secs(60)).await;
    let (output, took) = during(&bench, json!({"session_id": 1000}), async {}).await;
    assert_eq!(took, Duration::ZERO);
    assert!(output.ends_with("done\n"), "{output}");
}

#[tokio::test(start_paused = true)]
async fn the_end_ends_every_wait_and_is_told_once() {
    let (bench, session) = running(false).await;
    let acts = async {
        sleep(Duration::from_secs(70)).await;
        session.write(b"bye");
        session.exit(0);
    };
    let (output, took) = during(&bench, json!({"session_id": 1000, "yield_time_ms": 300_000}), acts).await;
    assert_eq!(took, Duration::from_secs(70));
    assert!(output.contains("Process exited with code 0\n") && output.ends_with("bye"), "{output}");
    let item = bench.items.completed_command();
    assert_eq!((item.end, item.duration.map(|span| span.0)), (Some(SessionEnd::Exited { code: 0 }), Some(70_250)));

    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert_eq!(
        result.output,
        "write_stdin failed: session 1000 is over, and you were told all of it: Process exited with code 0"
    );
    let never = bench.call("write_stdin", json!({"session_id": 1001})).await;
    assert_eq!(never.output, "write_stdin failed: Unknown process id 1001");
    assert!(matches!(result.outcome, Outcome::NotStarted { .. }));
}

#[tokio::test(start_paused = true)]
async fn the_result_that_tells_the_end_names_the_session_to_release() {
    let (bench, session) = running(false).await;
    session.exit(0);
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert_eq!(result.release, [release(session.id)]);
    assert_eq!(result.outcome, Outcome::Finished { end: Some(SessionEnd::Exited { code: 0 }) });
}

#[tokio::test(start_paused = true)]
async fn a_session_without_a_terminal_or_a_pipe_takes_an_interrupt_and_nothing_else() {
    let (bench, session) = running(false).await;
    let result = bench.call("write_stdin", json!({"session_id": 1000, "chars": "y\n"})).await;
    assert_eq!(
        result.output,
        "write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true or stdin=true to keep stdin open"
    );
    let acts = async { session.end(SessionEnd::Signalled { signal: 2 }) };
    let (output, _) = during(&bench, json!({"session_id": 1000, "chars": "\u{3}"}), acts).await;
    assert!(output.contains("Process exited with signal 2 (SIGINT)"), "{output}");
    assert_eq!(*bench.host.signals.lock().unwrap(), [2]);
    assert!(bench.host.writes.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn input_for_a_session_that_ended_is_said_not_to_have_arrived() {
    let (bench, session) = running(true).await;
    session.exit(1);
    sleep(Duration::from_millis(1)).await;
    let result = bench.call("write_stdin", json!({"session_id": 1000, "chars": "y\n"})).await;
    let told = "Process exited with code 1\nIt had ended before the input could be written.\n";
    assert!(result.output.contains(told), "{}", result.output);
    assert!(bench.host.writes.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_have_been_lost_is_said_to_be_so() {
    let (bench, session) = running(true).await;
    *bench.host.on_write.lock().unwrap() = Some(lost());
    let result = bench.call("write_stdin", json!({"session_id": 1000, "chars": "y\n"})).await;
    assert!(result.output.contains("whether the input arrived is not known"), "{}", result.output);
    assert!(matches!(result.outcome, Outcome::Unknown { session: Some(id), .. } if id == session.id));
    *bench.host.on_write.lock().unwrap() = Some(HostError::NoSession);
    let result = bench.call("write_stdin", json!({"session_id": 1000, "chars": "y\n"})).await;
    assert_eq!(result.output, "write_stdin failed: the session does not exist any more");
    assert_eq!(bench.context.sessions.list().len(), 1, "the session itself is still watched");
}

#[tokio::test(start_paused = true)]
async fn a_code_point_that_arrives_in_two_looks_is_not_torn() {
    let (bench, session) = running(false).await;
    session.write(b"caf\xc3");
    let (first, _) = during(&bench, json!({"session_id": 1000}), async {}).await;
    session.write(b"\xa9!");
    let (second, _) = during(&bench, json!({"session_id": 1000}), async {}).await;
    assert!(first.ends_with("Output:\ncaf") && second.ends_with("Output:\né!"), "{first}\n{second}");
    assert_eq!(*bench.items.live.lock().unwrap(), "café!");
}

#[tokio::test(start_paused = true)]
async fn a_pipe_takes_input_until_it_is_closed_by_its_last_character() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    bench.call("exec_command", json!({"cmd": "sort", "stdin": true, "yield_time_ms": 250})).await;
    assert_eq!(bench.host.starts.lock().unwrap()[0].stdio, Stdio::Pipes);
    bench.call("write_stdin", json!({"session_id": 1000, "chars": "b\u{4}\na\n"})).await;
    let acts = async { session.exit(0) };
    during(&bench, json!({"session_id": 1000, "chars": "c\n\u{4}"}), acts).await;
    assert_eq!(bench.host.writes.lock().unwrap()[..], ["b\u{4}\na\n", "c\n"]);
    assert_eq!(*bench.host.closes.lock().unwrap(), [Input::StaysOpen, Input::Closes]);
}

#[tokio::test(start_paused = true)]
async fn noise_is_cleaned_across_looks_and_an_item_keeps_what_was_written() {
    let (bench, session) = running(true).await;
    session.write(b"\x1b[32m 1%\r 50%\x1b[0");
    let (first, _) = during(&bench, json!({"session_id": 1000}), async {}).await;
    session.write(b"m\r100%\r\n");
    let (second, _) = during(&bench, json!({"session_id": 1000}), async {}).await;
    assert!(
        first.ends_with("Original token count: 1\nOutput:\n 50%") && second.ends_with("Output:\n100%\n"),
        "{first}\n{second}"
    );
    assert_eq!(*bench.items.live.lock().unwrap(), "\u{1b}[32m 1%\r 50%\u{1b}[0m\r100%\r\n");
}

#[tokio::test(start_paused = true)]
async fn raw_output_is_told_as_it_was_written() {
    let mut bench = Bench::new();
    for (cleaning, asked, told) in [
        (Cleaning::Clean, json!(null), "red\n"),
        (Cleaning::Clean, json!(true), "\u{1b}[31mred\r\n"),
        (Cleaning::Raw, json!(null), "\u{1b}[31mred\r\n"),
        (Cleaning::Raw, json!(false), "red\n"),
    ] {
        bench.context.cleaning = cleaning;
        let session = bench.host.will_start();
        session.write(b"\x1b[31mred\r\n");
        session.exit(0);
        let result = bench.call("exec_command", json!({"cmd": "x", "raw_output": asked})).await;
        assert!(result.output.ends_with(&format!("Output:\n{told}")), "{cleaning:?} {asked}: {}", result.output);
    }
}
