//! What a daemon tells the service manager that started it, by the protocol of `sd_notify(3)`. Without one, nothing is told.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::task::JoinSet;

/// Keeps the service manager's watchdog content. Dropping it tells nothing more.
#[derive(Debug)]
#[must_use = "the watchdog is told only while this is held"]
pub struct Watchdog {
    _telling: JoinSet<()>,
}

/// Says that the daemon serves, in which words, and goes on to say that it lives where the service manager wants to hear that: twice within each
/// time that it gives. It is said from a task of the runtime, so that a runtime that is stuck falls silent.
pub fn ready(status: &str) -> Watchdog {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    let mut telling = JoinSet::new();
    if let Some(within) = sd_notify::watchdog_enabled() {
        telling.spawn(keep_alive(within / 2));
    }
    Watchdog { _telling: telling }
}

/// Says that the daemon reads its configuration again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager could not be told of a reload"),
    }
}

/// Says that it has done so.
pub fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// Says that the daemon is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

async fn keep_alive(every: Duration) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
