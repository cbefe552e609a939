//! The table of sessions: numbers, room, ends that nobody waits for.

use super::fake::{Bench, Told, release};
use crate::sessions::{EndedSession, ListedSession, MAX_SESSIONS};
use capstan_types::call::Outcome;
use capstan_types::id::CallId;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::launch::SessionEnd;
use capstan_types::session::known::SessionChange;
use serde_json::json;

async fn yielded(bench: &Bench) -> std::sync::Arc<super::fake::Played> {
    let session = bench.host.will_start();
    let result = bench.call("exec_command", json!({"cmd": "sleep 99", "yield_time_ms": 250})).await;
    assert!(matches!(result.outcome, Outcome::Yielded { .. }), "{}", result.output);
    session
}

#[tokio::test(start_paused = true)]
async fn the_sixty_fifth_session_is_refused_with_a_list_and_room_returns_when_one_has_ended() {
    let bench = Bench::new();
    let mut sessions = Vec::new();
    for _ in 0..MAX_SESSIONS {
        sessions.push(yielded(&bench).await);
    }
    sessions[3].exit(0);
    tokio::task::yield_now().await;
    let result = bench.call("exec_command", json!({"cmd": "one more"})).await;
    assert!(result.output.starts_with("exec_command failed: this thread has 64 sessions"), "{}", result.output);
    assert!(result.output.contains("\n  1002 (running): /bin/bash -lc 'sleep 99'\n  1003 (ended): "), "{}", result.output);
    assert!(matches!(result.outcome, Outcome::NotStarted { .. }));
    assert_eq!(bench.host.starts.lock().unwrap().len(), MAX_SESSIONS, "nothing was started, and nothing ended for it");
    assert_eq!(bench.items.completed_command().status, ItemStatus::Failed);

    bench.call("write_stdin", json!({"session_id": 1003})).await;
    yielded(&bench).await;
    assert_eq!(bench.context.sessions.list().last().map(|last| last.number), Some(1064), "no number is used twice");
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_gives_its_place_back() {
    let bench = Bench::new();
    for _ in 0..=MAX_SESSIONS {
        let refused = Err(crate::host::HostError::NotStarted("no".into()));
        bench.host.starting.lock().unwrap().push_back(refused);
        let result = bench.call("exec_command", json!({"cmd": "x"})).await;
        assert_eq!(result.output, "exec_command failed: no");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_looks_at_is_read_and_its_item_completed() {
    let bench = Bench::new();
    let session = yielded(&bench).await;
    session.write(b"late\n");
    session.exit(7);
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let item = bench.items.completed_command();
    assert_eq!((item.end, item.output.as_str()), (Some(SessionEnd::Exited { code: 7 }), "late\n"));
    assert_eq!(*bench.items.live.lock().unwrap(), "late\n");
    let result = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert!(
        result.output.contains("code 7\n") && result.output.ends_with("late\n"),
        "the model is told later: {}",
        result.output
    );
    let completions = bench.items.told().iter().filter(|told| matches!(told, Told::Completed(..))).count();
    assert_eq!(completions, 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_after_its_turn_is_completed_by_the_turn_that_is_told() {
    let mut bench = Bench::new();
    let session = yielded(&bench).await;
    bench.next_turn();
    session.exit(0);
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert!(bench.items.told().is_empty());
    bench.call("write_stdin", json!({"session_id": 1000})).await;
    let told = bench.items.told();
    assert!(matches!(&told[..], [Told::Completed(id, ItemBody::CommandExecution(_))] if id.0 == 0), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn ending_a_call_kills_its_session_and_completes_its_item() {
    let bench = Bench::new();
    let (first, second) = (yielded(&bench).await, yielded(&bench).await);
    let listed = bench.context.sessions.list();
    let expected = ListedSession {
        number: 1000,
        session: first.id,
        elsewhere: None,
        call: CallId::from_u128(1),
        command: "/bin/bash -lc 'sleep 99'".into(),
        ended: false,
        away: false,
        untold: 0,
    };
    assert_eq!(listed[0], expected);
    let released = bench.context.sessions.end_call(CallId::from_u128(1), "the user").await;
    let closed = |number| SessionChange::Closed { number, how: "Process ended by Capstan: killed by the user".into() };
    assert_eq!(released, [EndedSession { release: release(first.id), change: Some(closed(1000)) }]);
    assert_eq!(*bench.host.kills.lock().unwrap(), [(first.id, "the user".to_owned())]);
    assert_eq!(bench.items.completed_command().end, Some(SessionEnd::Killed { by: "the user".into() }));
    let rest = bench.context.sessions.end_all("the end").await;
    assert_eq!(rest.iter().map(|ended| ended.release.session).collect::<Vec<_>>(), [second.id]);
    assert!(bench.context.sessions.list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_call_was_abandoned_is_still_in_the_table() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    let call = bench.asked("exec_command", r#"{"cmd":"sleep 99"}"#);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), bench.toolbox.invoke(&call, &bench.context)).await;
    assert!(waited.is_err());
    let ended = bench.context.sessions.end_call(call.id, "the user").await;
    assert_eq!(ended.iter().map(|ended| ended.release.session).collect::<Vec<_>>(), [session.id]);
}

#[tokio::test(start_paused = true)]
async fn two_calls_that_look_at_once_share_no_output() {
    let bench = Bench::new();
    let session = yielded(&bench).await;
    session.write(b"only once");
    session.exit(0);
    let look = || bench.call("write_stdin", json!({"session_id": 1000}));
    let (one, other) = tokio::join!(look(), look());
    assert!(one.output.ends_with("only once"), "{}", one.output);
    assert!(other.output.starts_with("write_stdin failed: session 1000 is over"), "{}", other.output);
}
