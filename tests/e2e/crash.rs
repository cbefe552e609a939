//! Ends that nobody planned: the process is killed, interrupted, told to end, or loses its reader. No process is left, and the store
//! opens again with everything that was acknowledged.

mod closed_output;
mod killed;
mod random_moments;
mod signals;

use crate::scripted::{command, contains, says, step, write};
use crate::stored::Stored;
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::process::{self, Process};
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long the sessions of a run may live when it is gone, in milliseconds.
const OWNERLESS_MS: u64 = 1_500;

/// How long it may take on a busy machine until what should happen at once has happened.
const SOON: Duration = Duration::from_secs(20);

/// A run that may be ended at any moment: a home, and a workspace beside it.
struct Scene {
    home: Home,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        Self { home }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.root().join("work").join(name)
    }

    /// `capstan exec --json` with this script.
    fn exec(&self, steps: &[Value]) -> Capstan {
        let script = write(self.home.root(), steps);
        let ownerless = format!("ownerless_timeout_ms={OWNERLESS_MS}");
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-c", &ownerless]);
        exec.arg("--script").arg(script).in_dir(&self.home.root().join("work"))
    }

    /// A run whose session writes a growing file and does not end by itself.
    fn endless(&self) -> Capstan {
        let grow = "while :; do echo tick >> growing; sleep 0.05; done";
        self.exec(&[step([], [command("grow", grow)]), step([contains("grow", "Process")], [says("done")])])
    }

    /// A run that ends by itself, to show that the home can still be used.
    fn orderly(&self) -> Run {
        let run =
            self.exec(&[step([], [command("echo", "echo on it")]), step([contains("echo", "on it")], [says("done")])]).run();
        run.assert_code(0);
        run
    }

    fn until_it_grows(&self) {
        let grown = || fs::read_to_string(self.file("growing")).unwrap_or_default().lines().count() >= 3;
        wait::until_true(SOON, "a file that grows", grown);
    }

    fn processes(&self) -> Vec<Process> {
        process::at(self.home.root())
    }

    fn until_nothing_runs(&self, within: Duration) {
        wait::until_true(within, "no process of the run", || self.processes().is_empty());
    }

    fn stored(&self) -> Stored {
        Stored::read(&self.home)
    }
}
