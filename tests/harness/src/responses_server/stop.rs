//! Ends every wait of the server at once when the server is dropped.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The longest that a connection keeps still or waits for its client. Longer than any deadline a test sets.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A pause that can be cut short.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Ends all present and future pauses.
    pub(super) fn stop(&self) {
        *self.stopped.lock().expect("no thread panics with the flag") = true;
        self.changed.notify_all();
    }

    /// Whether the server is being dropped.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.lock().expect("no thread panics with the flag")
    }

    /// Waits, but not longer than until the server is dropped.
    pub(super) fn pause(&self, duration: Duration) {
        let stopped = self.stopped.lock().expect("no thread panics with the flag");
        drop(self.changed.wait_timeout_while(stopped, duration, |stopped| !*stopped));
    }
}
