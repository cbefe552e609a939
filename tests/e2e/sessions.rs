//! `capstan sessions`: people look at what a coordinator's nodes run, and act on it, while a turn goes on.

mod attach;
mod kill;
mod list;
mod logs;
mod node;
mod proof;
mod refusals;

use crate::scripted::{self, command, says, step};
use capstan_tests::capstan::{Capstan, Home, Run, Running};
use capstan_tests::wait;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long it may take on a busy machine until what should happen at once has happened.
const SOON: Duration = Duration::from_secs(30);

/// A coordinator, and a turn on it that runs one session and does not end before it is told to.
struct Stand {
    home: Home,
    coordinator: Running,
    turn: Running,
}

impl Stand {
    /// A turn with this session on a terminal.
    fn on_terminal(cmd: &str) -> Self {
        Self::with(cmd, true)
    }

    /// A turn with this session on pipes.
    fn on_pipes(cmd: &str) -> Self {
        Self::with(cmd, false)
    }

    /// A turn with this session on pipes, which keeps its output whole.
    fn keeping_all(cmd: &str) -> Self {
        Self::under(cmd, false, ["-P", "keeper"])
    }

    fn with(cmd: &str, tty: bool) -> Self {
        Self::under(cmd, tty, ["-s", "workspace-write"])
    }

    fn under(cmd: &str, tty: bool, policy: [&str; 2]) -> Self {
        let home = Home::new();
        home.configure(
            "ownerless_timeout_ms = 5000\n[permissions.keeper]\nextends = \":workspace\"\nlimits = { keep_all = \"1GiB\" }",
        );
        let work = home.root().join("work");
        fs::create_dir(&work).expect("a directory can be made");
        let arguments = json!({ "cmd": cmd, "login": false, "tty": tty, "yield_time_ms": 250 });
        let subject = json!({ "type": "call", "id": "subject", "tool": "exec_command", "arguments": arguments });
        let hold = command("hold", "echo held > held; until [ -e over ]; do sleep 0.05; done");
        let script = scripted::write(home.root(), &[step([], [subject]), step([], [hold]), step([], [says("done")])]);
        let coordinator =
            Capstan::new(&home).args(["coordinator", "--script"]).arg(script).deadline(Duration::from_secs(300)).start();
        wait::until_true(SOON, "a coordinator that serves", || coordinator.stdout().contains("listens at"));
        let turn = Capstan::exec(&home, "Do it.").args(policy).args(["-m", "scripted", "--coordinator"]);
        let turn = turn.arg(format!("unix://{}", home.path().join("coordinator.sock").display())).in_dir(&work).start();
        let stand = Self { home, coordinator, turn };
        stand.until_file("held");
        stand
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.root().join("work").join(name)
    }

    fn until_file(&self, name: &str) {
        let what = || format!("the file {name}; {}", self.turn.stderr());
        wait::until_true(SOON, &what(), || self.file(name).exists());
    }

    fn touch(&self, name: &str) {
        fs::write(self.file(name), "").expect("a file can be written");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// `capstan sessions` with the coordinator of its home.
    fn sessions(&self) -> Capstan {
        Capstan::new(&self.home).arg("sessions").env("USER", "ann")
    }

    fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        self.sessions().args(args).run()
    }

    fn listed(&self) -> Vec<Value> {
        let run = self.run(["list", "--all", "--json"]);
        run.assert_code(0);
        let list: Value = serde_json::from_str(&run.stdout).expect("the list is JSON");
        list["sessions"].as_array().expect("a list").clone()
    }

    /// The turn's session, which is not the one that holds the turn.
    fn session(&self) -> Value {
        let holds = |session: &Value| session["argv"].to_string().contains("echo held");
        self.listed().into_iter().find(|session| !holds(session)).expect("a session of the turn")
    }

    fn id(&self) -> String {
        self.session()["session"].as_str().expect("an id").to_owned()
    }

    fn still_runs(&self) -> bool {
        self.session()["state"] == "running"
    }

    /// Lets the turn end.
    fn end(self) {
        self.touch("over");
        let run = self.turn.wait();
        run.assert_code(0);
        drop(self.coordinator);
    }
}
