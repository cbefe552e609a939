//! A client, a coordinator and a node as processes of their own, with a way between the last two that can be cut.

use crate::faults::Fault;
use crate::program::{Program, SETTLED_WITHIN, from_environment};
use crate::session::Eye;
use crate::window;
use capstan_tests::capstan::{Capstan, Home, Running, binary};
use capstan_tests::process::{self, Signal};
use capstan_tests::relay::Relay;
use capstan_tests::wait;
use capstan_types::launch::SessionEnd;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long a daemon may take to serve.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How long a client waits for its coordinator, in seconds.
const PATIENCE: &str = "30";

/// What a round came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    /// Whether the program had begun when the last fault was over.
    pub(crate) began: bool,
    /// Whether the node still had the output, so that each byte of it was compared. Else a coordinator had taken it to its end.
    pub(crate) compared: bool,
}

/// The house.
pub(crate) struct House {
    home: Home,
    node_home: Home,
    relay: Relay,
    node: Option<Running>,
    coordinator: Option<Running>,
    eye: Eye,
}

impl House {
    /// Starts all but a client.
    pub(crate) fn open() -> Self {
        let (home, node_home) = (Home::new(), Home::new());
        let work = home.root().join("work");
        fs::create_dir(&work).expect("a directory can be made");
        fs::copy(binary("seeded"), work.join("seeded")).expect("the program can be copied");
        fs::write(home.root().join("script.json"), script().to_string()).expect("the script can be written");
        let (near, far) = (home.root().join("near.sock"), home.root().join("far.sock"));
        let relay = Relay::start(&near, &far);
        let mut house = Self { relay, node: None, coordinator: None, eye: Eye::on(&far), home, node_home };
        house.start_node();
        house.start_coordinator();
        house
    }

    fn start_node(&mut self) {
        let at = format!("unix://{}", self.home.root().join("far.sock").display());
        self.node = Some(serving(Capstan::new(&self.node_home).args(["node", "--name", "far", "--listen", &at])));
    }

    fn start_coordinator(&mut self) {
        let node = format!("unix://{}", self.home.root().join("near.sock").display());
        let script = self.home.root().join("script.json");
        let coordinator = Capstan::new(&self.home).args(["coordinator", "--node", &node, "--script"]).arg(script);
        self.coordinator = Some(serving(coordinator));
    }

    fn work(&self) -> PathBuf {
        self.home.root().join("work")
    }

    /// Starts a client whose thread runs `program`.
    pub(crate) fn begin(&self, program: Program) -> Running {
        let Program { seed, length, milliseconds, code } = program;
        fs::write(self.work().join("next"), format!("{seed} {length} {milliseconds} {code}")).expect("a file can be written");
        let socket = format!("unix://{}", self.home.path().join("coordinator.sock").display());
        let exec = Capstan::exec(&self.home, "Run it.").args(["-s", "workspace-write", "-m", "scripted"]);
        let exec = exec.args(["--coordinator", &socket, "--coordinator-timeout", PATIENCE]).in_dir(&self.work());
        let client = exec.deadline(SETTLED_WITHIN * 2).start();
        client.until_line("a command", |line| line["type"] == "item.started");
        client
    }

    /// Takes away what `faults` say, and starts again what has died. The client is given back if it lives.
    pub(crate) fn suffer(&mut self, faults: &[(Duration, Fault)], client: Running) -> Option<Running> {
        let mut client = Some(client);
        for (after, fault) in faults {
            std::thread::sleep(*after);
            match fault {
                Fault::Client => drop(client.take().map(Running::crash)),
                Fault::Coordinator => drop(self.coordinator.take().map(Running::crash)),
                Fault::Node => drop(self.node.take().map(Running::crash)),
                Fault::Connection => self.relay.cut(),
                Fault::NodePaused => self.pause_node(),
            }
        }
        if self.node.is_none() {
            self.start_node();
        }
        if self.coordinator.is_none() {
            self.start_coordinator();
        }
        client
    }

    fn pause_node(&self) {
        let Some(node) = &self.node else { return };
        node.send(Signal::Stop);
        std::thread::sleep(Duration::from_millis(from_environment("CAPSTAN_PAUSE_MS", 700)));
        node.send(Signal::Continue);
    }

    /// Waits until all has come to its end, and looks whether it is the right one.
    pub(crate) fn settle(&self, program: Program, client: Option<Running>) -> Settled {
        let (began, mut compared) = (self.began(program) > 0, false);
        // First, for a coordinator that has told its client of the end has the node forget the session.
        if let Some(client) = client {
            let run = client.wait();
            if let Some(item) = run.items_of("command_execution").last()
                && item["status"] == "completed"
            {
                assert_eq!(item["exit_code"], json!(program.code), "the client was told another end: {run}");
            }
        }
        let kept = wait::until(SETTLED_WITHIN, "no session that runs", || self.eye.ended());
        for session in &kept {
            let Some(found) = self.eye.read(session) else { continue };
            let times = self.began(program);
            match &found.end {
                SessionEnd::Exited { code } => {
                    assert_eq!(*code, program.code, "the node tells another end of {program:?}");
                    assert_eq!(times, 1, "the program ran {times} times");
                    window::check(program, &found.pieces);
                    compared = true;
                }
                // The node died while it asked for the start: nobody was told that anything began, and nothing did.
                SessionEnd::Unknown { .. } | SessionEnd::Killed { .. } if times == 0 => {}
                other => panic!("{program:?} ended by {other:?}; it had begun {times} times"),
            }
            self.eye.release(session);
        }
        let left = || process::mentioning(&format!("./seeded {} ", program.seed));
        wait::until_true(SETTLED_WITHIN, "no program that still runs", || left().is_empty());
        assert!(self.began(program) <= 1, "the program ran twice");
        Settled { began, compared }
    }

    fn began(&self, program: Program) -> usize {
        let effects = fs::read_to_string(self.work().join("effects")).unwrap_or_default();
        effects.lines().filter(|line| *line == program.seed.to_string()).count()
    }

    /// Ends the daemons as an operator would, and gives the directory that all of it happened in.
    pub(crate) fn close(self) -> Home {
        let Self { home, node_home, relay, node, coordinator, eye: _ } = self;
        for daemon in [coordinator, node].into_iter().flatten() {
            daemon.send(Signal::Terminate);
            daemon.wait().assert_code(0);
        }
        drop((relay, node_home));
        home
    }
}

/// One command, from a file that changes from round to round.
fn script() -> Value {
    let command = json!({ "cmd": "exec ./seeded $(cat next) effects", "login": false, "yield_time_ms": 30_000 });
    json!({ "version": 1, "steps": [
        { "expect": [], "answer": [{ "type": "call", "id": "run", "tool": "exec_command", "arguments": command }],
          "usage": { "input_tokens": 1, "output_tokens": 1 } },
        { "expect": [], "answer": [{ "type": "message", "text": "done" }], "usage": { "input_tokens": 1, "output_tokens": 1 } },
    ] })
}

/// Starts a daemon, and waits for the line that says it serves.
fn serving(daemon: Capstan) -> Running {
    let running = daemon.deadline(Duration::from_secs(3600)).start();
    wait::until(SERVES_WITHIN, "a daemon that serves", || {
        let lost = || process::Process::find(running.pid()).is_none_or(|process| !process.runs());
        assert!(!lost(), "a daemon did not start: {}", running.stderr());
        running.stdout().contains("listens at").then_some(())
    });
    running
}
