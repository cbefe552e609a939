//! `capstan coordinator` in one process and its clients in others: the same as in one process, and what happens when one of them is
//! wrong, hangs or dies.

mod again;
mod clients;
mod cut;
mod files;
mod hangs;
mod lost_client;
mod lost_daemon;
mod proxy;
mod refusals;
mod same_output;
mod served;
mod undo;

use crate::scripted;
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a coordinator may take until it serves, on a busy machine.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How long it may take on a busy machine until what should happen at once has happened.
const SOON: Duration = Duration::from_secs(20);

/// How long the sessions of a coordinator that is gone may live.
const OWNERLESS: &str = "ownerless_timeout_ms = 1500";

/// A command that writes a growing file and does not end by itself.
const GROW: &str = "while :; do echo tick >> growing; sleep 0.05; done";

/// A coordinator, a home, and a workspace beside it.
struct Daemon {
    home: Home,
    running: Running,
    /// The socket first.
    places: Vec<String>,
    token_file: Option<PathBuf>,
}

impl Daemon {
    /// A coordinator whose model plays this script.
    fn playing(steps: &[Value]) -> Self {
        let home = Home::new();
        home.configure(OWNERLESS);
        fs::create_dir(home.root().join("work")).expect("a directory can be made");
        scripted::write(home.root(), steps);
        Self::start(home, &[])
    }

    /// A coordinator on a home that has a script.
    fn start(home: Home, more: &[&str]) -> Self {
        let running = command(&home).args(more.iter().copied()).start();
        let line = wait::until(SERVES_WITHIN, "a coordinator that serves", || running.stdout().lines().next().map(str::to_owned));
        let said = line.strip_prefix("coordinator listens at ").unwrap_or_else(|| panic!("not what it says: {line}"));
        let (places, token) = said.split_once("; token file ").map_or((said, None), |(places, file)| (places, Some(file)));
        let places = places.split(", ").map(str::to_owned).collect();
        Self { running, places, token_file: token.map(PathBuf::from), home }
    }

    /// Kills it, and starts another on its home.
    fn killed_and_started_again(self) -> Self {
        let Self { home, running, .. } = self;
        let _ = running.crash();
        Self::start(home, &[])
    }

    fn socket(&self) -> &str {
        &self.places[0]
    }

    fn file(&self, name: &str) -> PathBuf {
        workspace(&self.home).join(name)
    }

    /// `capstan exec --json` on this coordinator, by its socket.
    fn exec(&self) -> Capstan {
        exec(&self.home).args(["--coordinator", self.socket()])
    }

    fn until_it_grows(&self) {
        let grown = || fs::read_to_string(self.file("growing")).unwrap_or_default().lines().count() >= 3;
        wait::until_true(SOON, "a file that grows", grown);
    }
}

/// `capstan coordinator` with the script of its home.
fn command(home: &Home) -> Capstan {
    let script = home.root().join("script.json");
    Capstan::new(home).args(["coordinator", "--script"]).arg(script).deadline(Duration::from_secs(300))
}

/// `capstan exec --json` in the workspace beside its home.
fn exec(home: &Home) -> Capstan {
    let exec = Capstan::exec(home, "Do it.").args(["-s", "workspace-write", "-m", "scripted"]);
    exec.in_dir(&workspace(home))
}

fn workspace(home: &Home) -> PathBuf {
    home.root().join("work")
}

/// The only lines that a run may print of each of these kinds are one of each.
fn assert_once(run: &Run, kinds: &[&str]) {
    assert_eq!(run.kinds(), kinds, "{run}");
}

/// What differs from one run to the next is replaced in what people read.
fn settled_text(text: &str, root: &Path) -> String {
    let text = text.replace(&root.display().to_string(), "[ROOT]");
    let rules = [
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"uid \d+", "uid N"),
        (r"\d+\.\d+ s|\d+ ms", "TIME"),
        (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:PORT"),
        (r"\(process \d+\)", "(process PID)"),
    ];
    rules
        .iter()
        .fold(text, |text, (pattern, by)| regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *by).into_owned())
}
