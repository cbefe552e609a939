//! The client of the runner: the only place in the node where a process is started.
//!
//! Invariants: a runner that has not answered is made to end with the future that waits for it, so that no session comes to be that nobody
//! knows of; and nothing of the node's own environment reaches the runner.

use crate::config::RunnerPath;
use crate::session::ending;
use capstan_runtime::trace_context;
use capstan_types::launch::{Enforced, LaunchAnswer, LaunchSpec, Refusal};
use capstan_types::node::Fingerprint;
use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// How long the runner may take to answer. It does a few milliseconds' work; a machine that swaps takes longer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// The longest answer, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// How much of the complaint of a runner that died is passed on, in bytes.
const MAX_COMPLAINT: u64 = 2048;

/// Starts runners.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    path: RunnerPath,
    deadline: Duration,
}

/// A session that runs, and the child process that holds it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) holder: Child,
    pub(crate) enforced: Enforced,
}

/// Why a launch gave no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LaunchError {
    /// Nothing was started.
    Refused(Refusal),
    /// The runner did not say.
    Unknown(String),
}

/// A child that is made to end unless it is kept.
struct Unclaimed(Option<Child>);

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(child) = &self.0 {
            ending::ask(child);
        }
    }
}

impl Runner {
    pub(crate) const fn new(path: RunnerPath) -> Self {
        Self { path, deadline: ANSWER_DEADLINE }
    }

    /// The command line of one of the runner's verbs, to be run as a session's own program.
    pub(crate) fn verb_argv(&self, verb: &str) -> Vec<String> {
        let program = self.path.program.to_string_lossy().into_owned();
        std::iter::once(program).chain(self.path.args.iter().cloned()).chain(std::iter::once(verb.to_owned())).collect()
    }

    /// Starts a session, and returns when its program runs.
    pub(crate) async fn launch(&self, spec: &LaunchSpec) -> Result<Answered, LaunchError> {
        let document =
            serde_json::to_vec(spec).map_err(|error| LaunchError::Refused(Refusal::Document { reason: error.to_string() }))?;
        let mut holder = Unclaimed(Some(self.start("hold", Stdio::piped()).map_err(|error| self.not_started(&error))?));
        let child = holder.0.as_mut().ok_or_else(|| LaunchError::Unknown("the runner vanished".to_owned()))?;
        let line = match tokio::time::timeout(self.deadline, talk(child, &document)).await {
            Ok(line) => line,
            Err(_) => {
                ending::end(child).await;
                let waited = self.deadline.as_millis();
                return Err(LaunchError::Unknown(format!("the runner did not answer within {waited} ms, and was ended")));
            }
        };
        match serde_json::from_slice(&line) {
            Ok(LaunchAnswer::Started { enforced, .. }) => {
                holder.0.take().map(|holder| Answered { holder, enforced }).ok_or_else(|| LaunchError::Unknown(String::new()))
            }
            Ok(LaunchAnswer::Refused(refusal)) => {
                // It has said its last word and ends by itself: it must be left to clear up what it made.
                reap(holder.0.take()).await;
                Err(LaunchError::Refused(refusal))
            }
            Err(_) => Err(LaunchError::Unknown(format!("the runner died without an answer{}", complaint(child).await))),
        }
    }

    /// Asks the runner what this host can enforce.
    pub(crate) async fn probe(&self) -> io::Result<Fingerprint> {
        let mut child = Unclaimed(Some(self.start("probe", Stdio::null())?));
        let Some(running) = child.0.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let line = tokio::time::timeout(self.deadline, first_line(running.stdout.take()))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it did not answer"))?;
        let fingerprint = serde_json::from_slice(&line);
        if fingerprint.is_err() {
            let said = complaint(running).await;
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it gave no fingerprint{said}")));
        }
        reap(child.0.take()).await;
        fingerprint.map_err(io::Error::from)
    }

    fn start(&self, verb: &str, input: Stdio) -> io::Result<Child> {
        #[expect(clippy::disallowed_methods, reason = "this is the node's runner client")]
        let mut command = Command::new(&self.path.program);
        command.args(&self.path.args).arg(verb).env_clear().stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(traceparent) = trace_context::current_traceparent() {
            command.env(OsStr::new("TRACEPARENT"), traceparent);
        }
        command.spawn()
    }

    fn not_started(&self, error: &io::Error) -> LaunchError {
        let step = format!("start the runner `{}`", self.path.program.display());
        LaunchError::Refused(Refusal::Host { step, reason: error.to_string() })
    }
}

/// Hands the document over and reads the first line of the answer; empty when there is none.
async fn talk(child: &mut Child, document: &[u8]) -> Vec<u8> {
    if let Some(mut input) = child.stdin.take() {
        // A runner that died before it had read all of this is found by its missing answer.
        let _ = input.write_all(document).await;
    }
    first_line(child.stdout.take()).await
}

async fn first_line(output: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut line = Vec::new();
    if let Some(output) = output {
        let _ = BufReader::new(output.take(MAX_ANSWER)).read_until(b'\n', &mut line).await;
    }
    line
}

/// What a runner that ends, or is made to end, wrote to standard error, as the end of a sentence.
async fn complaint(child: &mut Child) -> String {
    ending::end(child).await;
    let Some(errors) = child.stderr.take() else { return String::new() };
    let mut said = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(1), errors.take(MAX_COMPLAINT).read_to_end(&mut said)).await;
    let said = String::from_utf8_lossy(&said);
    if said.trim().is_empty() { String::new() } else { format!("; it said: {}", said.trim()) }
}

/// Waits for a child that is about to end. One that does not is made to.
async fn reap(child: Option<Child>) {
    let mut child = Unclaimed(child);
    if let Some(running) = &mut child.0
        && !matches!(tokio::time::timeout(ANSWER_DEADLINE, running.wait()).await, Ok(Ok(_)))
    {
        ending::end(running).await;
    }
}

#[cfg(test)]
mod tests;
