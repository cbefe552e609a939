//! What is said while a cluster comes up and goes down, one line for each step. On standard error: standard output is for what comes of it.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// Says it.
pub(super) fn say(line: &str) {
    // Nobody is left to be told when it is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// When a step began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step(Instant);

impl Step {
    /// Now.
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Says that something is done, and how long the step has taken until now.
    pub(super) fn done(self, what: &str) {
        say(&format!("{what} ({})", seconds(self.0.elapsed())));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
