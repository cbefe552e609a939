//! The sessions of a thread whose coordinator died: read on by the next.

use super::fake::{Bench, release};
use crate::host::HostError;
use crate::sessions::{Again, SessionTable};
use capstan_types::id::SessionId;
use capstan_types::output::Seq;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::known::{KnownSession, KnownSessions};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// A bench whose only session was known before its coordinator died, told up to byte 5.
async fn left_by_the_dead() -> (Bench, SessionId) {
    let bench = Bench::new();
    let session = bench.host.will_start();
    session.write(b"told\n");
    bench.call("exec_command", json!({"cmd": "make", "yield_time_ms": 250})).await;
    let known = bench.context.sessions.known();
    assert_eq!(known.open.values().map(|open| open.next).collect::<Vec<_>>(), [Seq(5)]);
    (rebuilt(bench, known), session.id)
}

/// As the next coordinator has it.
fn rebuilt(mut bench: Bench, known: KnownSessions) -> Bench {
    bench.next_turn();
    let cwd = bench.context.cwd.clone();
    let again = Again {
        host: bench.host.clone(),
        others: std::collections::BTreeMap::new(),
        policy: SandboxPolicy::workspace_write(vec![cwd.clone()]),
        cwd,
        items: std::collections::BTreeMap::new(),
    };
    bench.context.sessions = Arc::new(SessionTable::again(known, &again));
    bench
}

async fn seen() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_read_on_where_the_model_was_left() {
    let (bench, id) = left_by_the_dead().await;
    let session = bench.host.will_attach(id, Seq(5));
    seen().await;
    assert_eq!(*bench.host.attached.lock().unwrap(), [(id, Seq(5))]);
    assert!(bench.context.sessions.announce().text.unwrap().contains("1000 (running): /bin/bash -lc make"));
    session.write(b"untold\n");
    session.exit(3);
    let rest = bench.call("write_stdin", json!({"session_id": 1000})).await;
    assert!(rest.output.contains("code 3\n") && rest.output.ends_with("Output:\nuntold\n"), "{}", rest.output);
    assert_eq!(rest.release, [release(id)]);
    let next = bench.host.will_start();
    next.exit(0);
    bench.call("exec_command", json!({"cmd": "true"})).await;
    assert_eq!(bench.context.sessions.how_closed(1001).as_deref(), Some("Process exited with code 0"), "a number was used again");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_its_node_does_not_know_is_told_gone() {
    let (bench, id) = left_by_the_dead().await;
    bench.context.sessions.see_ends(&[id], Duration::from_secs(3)).await;
    let said = bench.context.sessions.announce().text.unwrap();
    assert!(
        said.contains("1000 (ended)") && said.contains("Process state unknown: the session does not exist any more"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_away_is_asked_again_when_the_session_is_used() {
    let (bench, id) = left_by_the_dead().await;
    bench.host.away.store(true, Ordering::Relaxed);
    seen().await;
    let listed = bench.call("sessions", json!({"action": "list"})).await.output;
    assert!(listed.contains("1000 (its node does not answer)"), "{listed}");
    let first = bench.call("write_stdin", json!({"session_id": 1000, "yield_time_ms": 5000})).await.output;
    assert!(first.contains("Its node cannot be asked now"), "{first}");
    // However long it stays away: nobody knows how long the session lives.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    bench.host.comes_back();
    let session = bench.host.will_attach(id, Seq(5));
    session.exit(0);
    let (before, asked) = (Instant::now(), bench.host.attached.lock().unwrap().len());
    let found = bench.call("write_stdin", json!({"session_id": 1000})).await.output;
    assert!(found.contains("Process exited with code 0"), "{found}");
    assert!(before.elapsed() < Duration::from_millis(500), "it waited for its turn");
    assert_eq!(bench.host.attached.lock().unwrap().len(), asked + 1);
}

#[tokio::test(start_paused = true)]
async fn a_fenced_reader_ends_without_a_word_of_the_session() {
    let (bench, _) = left_by_the_dead().await;
    bench.host.attaching.lock().unwrap().push_back(Err(HostError::Fenced));
    seen().await;
    assert!(bench.try_call("write_stdin", r#"{"session_id": 1000}"#).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn announced_ends_take_no_places() {
    let bench = Bench::new();
    let session = bench.host.will_start();
    bench.call("exec_command", json!({"cmd": "make", "yield_time_ms": 250})).await;
    drop(session);
    let known = bench.context.sessions.known();
    let template = known.open.into_values().next().unwrap();
    let open = (2000..2064).map(|number| (number, KnownSession { number, announced: true, ..template.clone() })).collect();
    let bench = rebuilt(bench, KnownSessions { next_number: 2064, open, ..KnownSessions::default() });
    bench.host.will_start().exit(0);
    let result = bench.call("exec_command", json!({"cmd": "true"})).await.output;
    assert!(result.contains("Process exited with code 0"), "{result}");
}
