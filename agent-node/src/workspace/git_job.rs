//! Git at the node's own work: fetching into mirrors and checking out of them.
//!
//! It runs as the sessions of threads do, and sees what it is given by name: of the node's state a directory or two, of the network one host.

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, RunError};
use crate::workspace::git;
use bytes::Bytes;
use capstan_types::launch::{SessionEnd, SessionLimit, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Network, SandboxMode, SandboxPolicy};
use std::collections::VecDeque;
use std::time::Duration;

/// How much of the end of what it says is kept, in bytes.
const KEPT: usize = 64 << 10;

/// One run of a script.
#[derive(Debug)]
pub(crate) struct GitJob {
    /// A shell script of this crate.
    pub(crate) script: &'static str,
    /// Where it runs.
    pub(crate) cwd: AbsPath,
    /// What of the host it needs that sessions may have as well: it is held against the node's ceiling.
    pub(crate) asked: SandboxPolicy,
    /// What of the node's state it may read.
    pub(crate) readable: Vec<AbsPath>,
    /// What of the node's state it may write.
    pub(crate) writable: Vec<AbsPath>,
    /// Further variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Further settings of git.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// What it reads from its standard input.
    pub(crate) input: Bytes,
    pub(crate) deadline: Duration,
}

/// What became of one.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The end of what it said, errors and progress among it.
    pub(crate) said: Vec<u8>,
    pub(crate) end: SessionEnd,
}

impl Ran {
    /// Whether it did what it was to do.
    pub(crate) fn is_done(&self) -> bool {
        self.end == (SessionEnd::Exited { code: 0 })
    }

    /// Whether its time was over.
    pub(crate) fn is_late(&self) -> bool {
        matches!(self.end, SessionEnd::Limit(SessionLimit::Total))
    }

    /// What it said behind its last NUL.
    pub(crate) fn result(&self) -> String {
        let from = self.said.iter().rposition(|byte| *byte == 0).map_or(self.said.len(), |nul| nul + 1);
        String::from_utf8_lossy(&self.said[from..]).into_owned()
    }
}

/// Runs one to its end. `heard` is told what it says, piece by piece.
pub(crate) async fn run(launcher: &Launcher, job: GitJob, mut heard: impl FnMut(&[u8]) + Send) -> Result<Ran, NodeError> {
    let policy = launcher.admission.admit(job.asked.clone()).map_err(NodeError::Refused)?;
    let deadline = job.deadline;
    let (program, input) = program(job, policy);
    let mut said = VecDeque::new();
    let hear = |bytes: &[u8]| {
        heard(bytes);
        said.extend(bytes);
        said.drain(..said.len().saturating_sub(KEPT));
    };
    match run::to_end_heard(launcher, program, input, hear, deadline).await {
        Ok(outcome) => Ok(Ran { said: said.into(), end: outcome.end }),
        Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
        Err(RunError::Unknown(reason)) => Err(NodeError::SourceAway(format!("git could not be run to its end: {reason}"))),
    }
}

fn program(job: GitJob, mut policy: SandboxPolicy) -> (Program, Bytes) {
    policy.mode = SandboxMode::WorkspaceWrite;
    // It makes repositories, with all that belongs into one.
    policy.unprotected = true;
    policy.readable.extend(job.readable);
    policy.writable.extend(job.writable);
    if policy.network == Network::None {
        policy.network = Network::Loopback;
    }
    let mut env = git::environment(&job.settings);
    env.extend(job.variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let argv = ["/bin/sh", "-c", job.script, "capstan-git", job.cwd.as_str()].map(str::to_owned).into();
    let limits = SessionLimits { head: ByteCap::mebibytes(1), tail: ByteCap::mebibytes(1), ..SessionLimits::default() };
    (Program { argv, cwd: job.cwd, env, stdio: Stdio::Pipes, policy, limits }, job.input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_what_stands_behind_the_last_nul() {
        let ran = |said: &[u8]| Ran { said: said.to_vec(), end: SessionEnd::Exited { code: 0 } };
        assert_eq!(ran(b"Receiving\r100%\0no\0commit=1\n").result(), "commit=1\n");
        assert_eq!(ran(b"warning").result(), "");
    }
}
