//! How the node ends a runner that it started, whether that holds a session already or is about to.
//!
//! Invariant: a runner is asked before it is killed. Only a holder can find its session's whole tree; killed at once, it would leave
//! all but the program itself behind, with nobody to enforce a limit on it.

use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;
use tokio::process::Child;

/// How long a runner may take to go after it was asked. A holder kills its tree within milliseconds, and says farewell for up to a
/// second.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// Asks a runner to end its session and then itself, and does not wait: for a keeper that is being dropped.
pub(crate) fn ask(runner: &Child) {
    // None once it has been waited for. Until then its number cannot have become another process's.
    let pid = runner.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It fails when the runner has ended, which is as good. The runtime reaps it.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Asks a runner to end, waits until it has, and kills it when it does not.
pub(crate) async fn end(runner: &mut Child) {
    ask(runner);
    if tokio::time::timeout(GRACE, runner.wait()).await.is_err() {
        let _ = runner.kill().await;
    }
}
