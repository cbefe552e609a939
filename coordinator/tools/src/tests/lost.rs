//! The node goes away: what is known is told, and what is not known is told to be unknown.

use super::fake::{Bench, lost, release};
use crate::host::HostError;
use capstan_types::call::Outcome;
use capstan_types::item::ItemStatus;
use capstan_types::launch::SessionEnd;
use capstan_types::output::Seq;
use capstan_types::time::Millis;
use serde_json::json;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_node_lost_at_the_start_leaves_the_outcome_unknown() {
    let bench = Bench::new();
    bench.host.starting.lock().unwrap().push_back(Err(lost()));
    let result = bench.call("exec_command", json!({"cmd": "make install"})).await;
    assert!(matches!(&result.outcome, Outcome::Unknown { node: Some(_), session: None, .. }), "{:?}", result.outcome);
    assert!(result.output.contains(
        "node n1 did not report what came of it: reset, while the command was being started; whether it ran is not known"
    ));
    assert_eq!(bench.items.completed_command().status, ItemStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_never_answers_a_start_is_not_waited_for_for_ever() {
    let bench = Bench::new();
    let _silent = bench.host.will_start_silently();
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert!(result.output.contains("it did not answer within 60 s"), "{}", result.output);
    assert!(matches!(result.outcome, Outcome::Unknown { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_back_in_a_minute_is_read_on() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.write(b"step 1 of 2\n");
    bench.host.goes_away(&session);
    let away = bench.call("exec_command", json!({"cmd": "make install", "yield_time_ms": 30_000})).await;
    assert_eq!(away.outcome, Outcome::Yielded { session: session.id, seq: Seq(12) });
    assert!(away.output.contains("Its node cannot be asked now"), "{}", away.output);
    tokio::time::sleep(Duration::from_secs(30)).await;
    bench.host.comes_back();
    let again = bench.host.will_attach(session.id, Seq(12));
    again.write(b"step 2 of 2\n");
    again.exit(0);
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert!(result.output.contains("code 0\n") && result.output.ends_with("Output:\nstep 2 of 2\n"), "{}", result.output);
    assert_eq!(result.release, [release(session.id)]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_breaks_off_again_and_again_is_given_up_as_well() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.lose();
    let attached: Vec<_> = (0..60).map(|_| bench.host.will_attach(session.id, Seq(0))).collect();
    attached.iter().for_each(|attached| attached.lose());
    bench.call("exec_command", json!({"cmd": "make install"})).await;
    let result = bench.call("write_stdin", json!({"session_id": 1000, "yield_time_ms": 300_000})).await;
    assert!(matches!(result.outcome, Outcome::Unknown { .. }), "{:?}", result.outcome);
    assert!(bench.host.attached.lock().unwrap().len() < 20, "asked too often");
}

#[tokio::test(start_paused = true)]
async fn a_node_lost_while_a_command_runs_leaves_its_last_output_and_an_unknown_outcome() {
    let mut bench = Bench::new();
    bench.context.limits.ownerless = Millis(1_000);
    let session = bench.host.will_start();
    session.write(b"step 1 of 2\n");
    bench.host.goes_away(&session);
    let result = bench.call("exec_command", json!({"cmd": "make install", "yield_time_ms": 30_000})).await;
    insta::assert_snapshot!(result.output, @r"
    Chunk ID: 000001
    Wall time: 13.0000 seconds
    Process state unknown: node n1 did not report what came of it: reset, 13.0 seconds after the command started. It is not known whether it finished or still runs; the output below is the last that was seen. Check what it did before you run it again.
    Original token count: 3
    Output:
    step 1 of 2
    ");
    assert!(matches!(result.outcome, Outcome::Unknown { session: Some(id), .. } if id == session.id));
    assert_eq!(result.release, []);
    let item = bench.items.completed_command();
    assert!(matches!(item.end, Some(SessionEnd::Unknown { .. })));
    assert_eq!((item.status, item.output.as_str()), (ItemStatus::Failed, "step 1 of 2\n"));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_vanishes_is_not_said_to_have_been_refused() {
    let bench = Bench::new();
    bench.host.starting.lock().unwrap().push_back(Err(HostError::NoSession));
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert!(matches!(result.outcome, Outcome::Unknown { .. }), "{:?}", result.outcome);
    bench.host.will_start().send(Err(HostError::NoSession));
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert!(matches!(result.outcome, Outcome::Unknown { session: Some(_), .. }), "{:?}", result.outcome);
}

#[tokio::test(start_paused = true)]
async fn a_loss_is_told_by_the_next_look_too() {
    let mut bench = Bench::new();
    bench.context.limits.ownerless = Millis(1_000);
    let session = bench.host.will_start();
    bench.call("exec_command", json!({"cmd": "make", "yield_time_ms": 250})).await;
    session.write(b"half");
    bench.host.goes_away(&session);
    tokio::time::sleep(Duration::from_secs(14)).await;
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert!(matches!(result.outcome, Outcome::Unknown { .. }));
    assert!(result.output.contains("Process state unknown") && result.output.ends_with("half"), "{}", result.output);
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert_eq!(
        result.output,
        "write_stdin failed: session 1000 is over, and you were told all of it: Process state unknown: node n1 did not report what came of it: reset"
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_that_come_twice_are_shown_once_and_bytes_that_never_come_are_counted() {
    use crate::host::SessionEvent;
    use capstan_types::output::Piece;
    let bench = Bench::new();
    let session = bench.host.will_start();
    let piece = |seq, bytes: &'static [u8]| Ok(SessionEvent::Output(Piece::Bytes { seq: Seq(seq), bytes: bytes.into() }));
    session.send(piece(0, b"abcd"));
    session.send(piece(2, b"cdef"));
    session.send(Ok(SessionEvent::Output(Piece::Gap { seq: Seq(6), bytes: 400 })));
    session.send(piece(406, b"tail"));
    session.exit(0);
    let result = bench.call("exec_command", json!({"cmd": "x"})).await;
    assert!(result.output.ends_with("\n\nabcdef…100 tokens truncated…tail"), "{}", result.output);
}
