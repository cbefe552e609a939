//! A process of the host, which must notice nothing.

use crate::stage::Stage;
use crate::way::Way;
use capstan_tests::process::{Process, command};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

/// It runs until it is dropped: it waits for the end of its standard input.
#[derive(Debug)]
pub(crate) struct Victim {
    child: Child,
    told: Vec<(&'static str, String)>,
    cleaning: Vec<String>,
    state: Vec<String>,
}

const TOLD: [&str; 7] = ["ADDRESS", "FD", "USERKEY", "SHM", "SEM", "MSG", "QUEUE"];

impl Victim {
    /// Starts it as the user of this way.
    pub(crate) fn start(stage: &Stage, way: Way, out: &Path, tag: &str, ipc: u32) -> Self {
        let mut words = way.as_user();
        words.push(stage.program("attacker").display().to_string());
        let mut command = command(&words[0]);
        command.args(&words[1..]).args([
            "victim",
            &format!("OUT={}", out.display()),
            &format!("TAG={tag}"),
            &format!("IPC={ipc}"),
        ]);
        command.env("VICTIM_SECRET", "kept").current_dir(out).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the victim can be started");
        let mut told = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("it was piped")).lines().map_while(Result::ok) {
            let (name, value) = line.split_once('=').expect("the victim tells what it has");
            told.extend(TOLD.iter().find(|known| **known == name).map(|known| (*known, value.to_owned())));
            if name == "READY" {
                break;
            }
        }
        assert_eq!(told.len(), TOLD.len(), "the victim is ready");
        let state = state(child.id());
        words.extend(["clean".to_owned(), format!("TAG={tag}"), format!("IPC={ipc}")]);
        Self { child, told, state, cleaning: words }
    }

    /// What the attacker must know of it.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = self.told.clone();
        facts.push(("VICTIM", self.child.id().to_string()));
        facts
    }

    /// What was done to it.
    pub(crate) fn harm(&self) -> Vec<String> {
        if !Process::find(self.child.id()).is_some_and(|process| process.runs() && process.state != 'T') {
            return vec!["the victim was stopped or killed".to_owned()];
        }
        let now = state(self.child.id());
        let changed = self.state.iter().zip(&now).filter(|(was, is)| was != is);
        changed.map(|(was, is)| format!("the victim had {was} and has {is}")).collect()
    }
}

/// What others can change of a process.
fn state(pid: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map(|(_, tail)| tail.split_whitespace().collect()).unwrap_or_default();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let file = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let allowed = file("status").lines().find(|line| line.starts_with("Cpus_allowed:")).unwrap_or_default().to_owned();
    vec![
        format!("priority {} nice {} policy {}", field(15), field(16), field(38)),
        allowed,
        format!("oom_score_adj {}", file("oom_score_adj").trim()),
        format!("limits {}", file("limits")),
    ]
}

impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _continued = command("kill").args(["-CONT", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let _reaped = self.child.wait();
        let _cleaned = command(&self.cleaning[0]).args(&self.cleaning[1..]).status();
    }
}
