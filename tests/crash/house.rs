//! A node that stays, and a coordinator that is killed; a client that sees nothing of it but the truth.

use crate::script;
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::process::{self, Process, Signal};
use capstan_tests::wait;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long a daemon may take to serve on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How long a turn may take on a busy machine.
pub(crate) const TURN: Duration = Duration::from_secs(90);

/// A node in a process of its own.
pub(crate) struct Node {
    home: Home,
    running: Running,
}

impl Node {
    pub(crate) fn start() -> Self {
        let home = Home::new();
        home.configure("ownerless_timeout_ms = 20000");
        let at = format!("unix://{}", home.root().join("node.sock").display());
        let running = serving(Capstan::new(&home).args(["node", "--name", "far", "--listen", &at]));
        Self { home, running }
    }

    fn address(&self) -> String {
        format!("unix://{}", self.home.root().join("node.sock").display())
    }

    /// Ends it as an operator would. Nothing may be left.
    pub(crate) fn end(self) {
        self.running.send(Signal::Terminate);
        self.running.wait().assert_code(0);
        wait::until_true(TURN, "no process of the node", || process::at(self.home.root()).is_empty());
    }
}

/// One turn's home, with a workspace beside it.
pub(crate) struct Trial<'a> {
    pub(crate) home: Home,
    node: &'a Node,
    store: Option<String>,
}

impl<'a> Trial<'a> {
    /// With its store in a file of its home, or in the database of this URL.
    pub(crate) fn new(node: &'a Node, store: Option<String>) -> Self {
        let trial = Self { home: Home::new(), node, store };
        fs::create_dir(trial.work()).expect("a directory can be made");
        script::write(&trial.script());
        trial
    }

    /// Where its model's script is.
    pub(crate) fn script(&self) -> PathBuf {
        self.home.root().join("script.json")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.home.root().join("work")
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.work().join(file)).unwrap_or_default()
    }

    /// A coordinator that is killed when it comes to that point, if one is named.
    pub(crate) fn coordinator(&self, crash_at: Option<&str>) -> Running {
        let daemon =
            Capstan::new(&self.home).args(["coordinator", "--node", &self.node.address(), "--script"]).arg(self.script());
        let daemon = self.store.iter().fold(daemon, |daemon, url| daemon.env("CAPSTAN_STORE", url));
        serving(crash_at.into_iter().fold(daemon, |daemon, point| daemon.env("CAPSTAN_CRASH_AT", point)))
    }

    /// A client that begins a turn, and waits long for its coordinator.
    pub(crate) fn client(&self) -> Running {
        self.exec(&["Do it."]).start()
    }

    /// `capstan exec` with these words at its end.
    pub(crate) fn exec(&self, words: &[&str]) -> Capstan {
        let socket = format!("unix://{}", self.home.path().join("coordinator.sock").display());
        let exec = Capstan::new(&self.home).args(["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"]);
        let exec = exec.args(["-m", "scripted", "--coordinator", &socket, "--coordinator-timeout", "60"]);
        exec.args(words.iter().copied()).in_dir(&self.work()).deadline(TURN)
    }
}

/// Waits until a coordinator has been killed at its point.
pub(crate) fn killed(daemon: Running, client: &Running, point: &str) {
    wait::until_true(TURN, "the death of the coordinator", || {
        let passed = client.stdout().contains("\"turn.completed\"") || client.stdout().contains("\"turn.failed\"");
        let dead = Process::find(daemon.pid()).is_none_or(|process| !process.runs());
        assert!(dead || !passed || after_the_turn(point), "the turn never came to {point}:\n{}", client.stdout());
        dead
    });
    let run = daemon.wait();
    assert_eq!(run.status.code(), None, "it was not killed at {point}: {run}");
}

/// A client may hear of the end before these.
fn after_the_turn(point: &str) -> bool {
    point.starts_with("turn.ended") || point.starts_with("log.told")
}

/// Ends a coordinator as an operator would.
pub(crate) fn ended(daemon: Running) -> Run {
    daemon.send(Signal::Terminate);
    daemon.wait()
}

/// Starts a daemon, and waits for the line that says it serves.
fn serving(daemon: Capstan) -> Running {
    let running = daemon.deadline(Duration::from_secs(3600)).start();
    wait::until(SERVES_WITHIN, "a daemon that serves", || {
        let lost = || Process::find(running.pid()).is_none_or(|process| !process.runs());
        // One that is killed while it takes an old turn up may have served before.
        (running.stdout().contains("listens at") || lost()).then_some(())
    });
    assert!(running.stdout().contains("listens at"), "a daemon did not start: {}", running.stderr());
    running
}
