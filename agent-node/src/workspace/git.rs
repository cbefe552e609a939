//! Runs git on a workspace, whose repository is not to be trusted: its configuration can name programs to run.
//!
//! Git therefore runs as any session does, under a policy that lets it write to a directory of the node's and, to put files back, to the
//! workspace, and nowhere else, and with the settings turned off that start programs. One shell script is one launch, because a launch costs milliseconds.

use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, RunError};
use bytes::Bytes;
use capstan_types::launch::{Refusal, SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long one script may take. A first look at a large work tree reads all of it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How many scripts run at once on a node. Full: the next one waits its turn.
const AT_ONCE: usize = 4;

/// The largest file that git may write to the scratch directory, in bytes: an untracked disk image is not worth a diff.
const LARGEST_FILE: u64 = 1 << 30;

/// The exit code of a script that has found too much to look at.
const TOO_MUCH: i32 = 4;

/// Settings that a repository cannot override. The first ones keep it from starting programs; the rest keep git quick and quiet.
const SETTINGS: [(&str, &str); 14] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("safe.bareRepository", "explicit"),
    ("filter.lfs.clean", ""),
    ("filter.lfs.process", ""),
    ("filter.lfs.required", "false"),
    // The node may run as another user than the one who owns the files; the sandbox is what protects here.
    ("safe.directory", "*"),
    ("submodule.recurse", "false"),
    ("core.splitIndex", "false"),
    ("core.safecrlf", "false"),
    ("core.quotePath", "false"),
    ("core.fsync", "none"),
    ("gc.auto", "0"),
    ("advice.addEmbeddedRepo", "false"),
];

/// Variables that do the same.
const VARIABLES: [(&str, &str); 7] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("LC_ALL", "C"),
];

/// Runs git scripts. Clones share the bound on how many run.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    launcher: Arc<Launcher>,
    turns: Arc<Semaphore>,
}

/// Git as one thread's sessions would run it: what is hidden from them is hidden from it.
#[derive(Debug)]
pub(crate) struct ThreadGit {
    git: Git,
    policy: SandboxPolicy,
}

/// Why a script did not do what it was to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// In words.
    pub(crate) reason: String,
    /// Whether the directory has more than can be looked at: it will most likely have so for a while.
    pub(crate) too_much: bool,
}

impl Failed {
    const fn of(reason: String) -> Self {
        Self { reason, too_much: false }
    }
}

/// A script with the variables that it reads, to be run in a directory.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    /// A shell script of this crate. Its arguments are the paths that are hidden from the thread's sessions. It fails with exit code 3, a NUL and the reason; with 4
    /// where there is too much to look at.
    pub(crate) text: &'static str,
    /// Where it runs.
    pub(crate) cwd: &'a AbsPath,
    /// A directory that it may write to; it knows it as CAPSTAN_SCRATCH.
    pub(crate) scratch: &'a AbsPath,
    /// What else it may write to.
    pub(crate) writable: Vec<AbsPath>,
    /// Further variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The most bytes of output.
    pub(crate) cap: usize,
}

impl Git {
    pub(crate) fn new(launcher: Arc<Launcher>) -> Self {
        Self { launcher, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// For a thread whose sessions have this policy.
    pub(crate) fn under(&self, policy: SandboxPolicy) -> ThreadGit {
        ThreadGit { git: self.clone(), policy }
    }
}

impl ThreadGit {
    /// Runs a script, and gives what it wrote, or why it failed.
    pub(crate) async fn run(&self, script: Script<'_>) -> Result<Vec<u8>, Failed> {
        let Git { launcher, turns } = &self.git;
        let _turn = turns.acquire().await.map_err(|error| Failed::of(error.to_string()))?;
        let cap = script.cap;
        let policy = self.admitted(&script).map_err(|refusal| Failed::of(refusal.to_string()))?;
        let hidden = leading_into(script.cwd, policy.hidden.iter().chain(launcher.hidden()));
        match run::to_end(launcher, program(script, policy, hidden), Bytes::new(), cap, DEADLINE).await {
            Ok(outcome) if outcome.end == (SessionEnd::Exited { code: 0 }) => Ok(outcome.output),
            Ok(outcome) => Err(reason(&outcome.output, &outcome.end)),
            Err(RunError::Refused(refusal)) => Err(Failed::of(refusal.to_string())),
            Err(RunError::Unknown(reason)) => Err(Failed::of(reason)),
        }
    }

    /// Whoever asked is told what git reads, which is no more than the thread's sessions may.
    fn admitted(&self, script: &Script<'_>) -> Result<SandboxPolicy, Refusal> {
        let admission = &self.git.launcher.admission;
        let SandboxPolicy { hidden, level, .. } = &self.policy;
        let reading = SandboxPolicy { readable: vec![script.cwd.clone()], hidden: hidden.clone(), ..SandboxPolicy::read_only() };
        let reading = admission.admit(SandboxPolicy { level: reading.level.max(*level), ..reading })?;
        let writing = admission.admit(SandboxPolicy::workspace_write(script.writable.clone()))?;
        Ok(SandboxPolicy { writable: writing.writable, ..reading })
    }
}

/// The hidden places by each name that git may meet them under. One that the directory itself lies in hides nothing of it: who is given a
/// directory by name is given it.
fn leading_into<'a>(cwd: &AbsPath, hidden: impl Iterator<Item = &'a AbsPath>) -> Vec<AbsPath> {
    let real = |path: &AbsPath| path.as_path().canonicalize().ok().and_then(|real| AbsPath::new(real).ok());
    let mut names: Vec<_> =
        hidden.filter(|place| !cwd.is_within(place)).flat_map(|place| [Some(place.clone()), real(place)]).collect();
    names.sort();
    names.dedup();
    names.into_iter().flatten().collect()
}

fn program(script: Script<'_>, reading: SandboxPolicy, hidden: Vec<AbsPath>) -> Program {
    let variables = script.variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    let scratch = ("CAPSTAN_SCRATCH".to_owned(), script.scratch.to_string());
    Program {
        // Its name, and where it works, for whoever looks at a list of processes.
        argv: ["/bin/sh", "-c", script.text, "capstan-git", script.cwd.as_str()]
            .map(str::to_owned)
            .into_iter()
            .chain(hidden.into_iter().map(String::from))
            .collect(),
        cwd: script.cwd.clone(),
        env: environment(&[]).into_iter().chain(variables).chain([scratch]).collect(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy {
            mode: SandboxMode::WorkspaceWrite,
            writable: reading.writable.iter().chain([script.scratch]).cloned().collect(),
            ..reading
        },
        limits: SessionLimits {
            head: ByteCap::new(script.cap as u64).unwrap_or_else(|_| SessionLimits::default().head),
            file_bytes: Some(LARGEST_FILE),
            ..SessionLimits::default()
        },
    }
}

/// The environment of every git: what no repository can override, and `further` settings of the same force.
pub(crate) fn environment(further: &[(&str, String)]) -> BTreeMap<String, String> {
    let mut env: BTreeMap<_, _> = VARIABLES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let further = further.iter().map(|(key, value)| (*key, value.as_str()));
    let settings: Vec<_> = SETTINGS.into_iter().chain(further).collect();
    env.insert("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string());
    for (number, (key, value)) in settings.into_iter().enumerate() {
        env.insert(format!("GIT_CONFIG_KEY_{number}"), key.to_owned());
        env.insert(format!("GIT_CONFIG_VALUE_{number}"), value.to_owned());
    }
    env
}

/// What a failed script said behind its NUL, on one line.
fn reason(output: &[u8], end: &SessionEnd) -> Failed {
    let said = output.iter().rposition(|byte| *byte == 0).map(|nul| String::from_utf8_lossy(&output[nul + 1..]).into_owned());
    let reason = match (said.filter(|said| !said.trim().is_empty()), end) {
        (Some(said), _) => said.trim().replace('\n', "; "),
        (None, SessionEnd::Limit(limit)) => {
            format!("git reached its {}; the workspace is too large for a checkpoint", limit.as_str())
        }
        (None, _) => "git did not say why".to_owned(),
    };
    let too_much = matches!(end, SessionEnd::Exited { code: TOO_MUCH } | SessionEnd::Limit(_));
    Failed { reason, too_much }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::launch::SessionLimit;

    #[test]
    fn a_failure_is_told_in_one_line() {
        let failed = SessionEnd::Exited { code: 3 };
        let told = |output: &[u8]| reason(output, &failed);
        assert_eq!(told(b"diff --git\n\0warning: x\nfatal: bad object\n"), Failed::of("warning: x; fatal: bad object".into()));
        assert_eq!(told(b""), Failed::of("git did not say why".into()));
        let slow = reason(b"", &SessionEnd::Limit(SessionLimit::Total));
        let said = "git reached its total time; the workspace is too large for a checkpoint";
        assert_eq!(slow, Failed { reason: said.into(), too_much: true });
        assert!(reason(b"\0more than 9 files", &SessionEnd::Exited { code: TOO_MUCH }).too_much);
    }

    #[test]
    fn every_setting_is_passed_where_no_repository_can_override_it() {
        let env = environment(&[]);
        let count: usize = env["GIT_CONFIG_COUNT"].parse().unwrap();
        let keys: Vec<_> = (0..count).map(|number| env[&format!("GIT_CONFIG_KEY_{number}")].as_str()).collect();
        assert!(keys.contains(&"core.fsmonitor") && keys.contains(&"core.hooksPath") && count == SETTINGS.len());
        assert!(!env.contains_key(&format!("GIT_CONFIG_KEY_{count}")));
    }
}
