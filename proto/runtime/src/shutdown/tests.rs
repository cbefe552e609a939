//! Wishes by hand and by signal.

use super::Shutdown;
use std::time::Duration;
use tokio::time::timeout;

/// Reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn is_pending(wait: impl Future<Output = ()>) -> bool {
    timeout(Duration::ZERO, wait).await.is_err()
}

#[tokio::test]
async fn the_first_wish_is_graceful_and_the_second_forces() {
    let (trigger, shutdown) = Shutdown::by_hand();
    let other = shutdown.clone();
    assert!(is_pending(shutdown.graceful()).await && !shutdown.is_wished());
    trigger.wish();
    timeout(PATIENCE, other.graceful()).await.unwrap();
    assert!(shutdown.is_wished() && is_pending(shutdown.forced()).await);
    trigger.wish();
    timeout(PATIENCE, other.forced()).await.unwrap();
    trigger.wish();
    timeout(PATIENCE, async { tokio::join!(shutdown.graceful(), shutdown.forced()) }).await.unwrap();
}

#[tokio::test]
async fn a_waiter_is_woken_by_the_wish() {
    let (trigger, shutdown) = Shutdown::by_hand();
    let (_, ()) = tokio::join!(timeout(PATIENCE, shutdown.graceful()), async { trigger.wish() });
    assert!(shutdown.is_wished());
}

#[tokio::test]
async fn a_trigger_that_is_dropped_wishes_nothing() {
    let (trigger, shutdown) = Shutdown::by_hand();
    drop(trigger);
    assert!(is_pending(shutdown.graceful()).await && !shutdown.is_wished());
    let (trigger, shutdown) = Shutdown::by_hand();
    trigger.wish();
    drop(trigger);
    timeout(PATIENCE, shutdown.graceful()).await.unwrap();
    assert!(is_pending(shutdown.forced()).await);
}

#[expect(clippy::disallowed_methods, reason = "a real signal comes from another process")]
fn signal_myself(name: &str) {
    // By the shell's own `kill`: the program of that name is not on every host.
    let line = format!("kill -s {name} {}", std::process::id());
    let sent = std::process::Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn signals_are_wishes() {
    let shutdown = Shutdown::on_signals().unwrap();
    signal_myself("TERM");
    timeout(PATIENCE, shutdown.graceful()).await.unwrap();
    signal_myself("INT");
    timeout(PATIENCE, shutdown.forced()).await.unwrap();
}
