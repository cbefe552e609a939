//! The client of the runner: the only place in the node where a process is started.
//!
//! Sessions are asked of the runner's fork server ([`fork_server`], [`connection`]); where that cannot be had, each session starts a
//! runner of its own.
//!
//! Invariants: a runner that has not answered is made to end with the future that waits for it, so that no session comes to be that nobody
//! knows of; and nothing of the node's own environment reaches the runner.

mod connection;
mod fork_server;
mod scanner;
mod unclaimed;

use crate::config::RunnerPath;
use crate::descriptors;
use crate::session::ending;
use crate::session::holder::Holder;
use capstan_types::launch::{Denial, Enforced, LaunchAnswer, LaunchSpec, Refusal};
use capstan_types::node::Fingerprint;
use capstan_types::path::AbsPath;
use connection::{Heard, MAX_ANSWER};
use fork_server::ForkServer;
use scanner::{MAX_SCAN, SCAN_DEADLINE, Scanner};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use unclaimed::{Unclaimed, reap};

/// How long the runner may take to answer. It does a few milliseconds' work; a machine that swaps takes longer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// How much of the complaint of a runner that died is passed on, in bytes.
const MAX_COMPLAINT: u64 = 2048;

/// How often the fork server is asked for a session that it has died without starting.
const ATTEMPTS: u32 = 3;

/// Starts runners.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    path: RunnerPath,
    deadline: Duration,
    served: Option<Served>,
    scanner: Option<Arc<Scanner>>,
    /// The home of most sessions.
    home: Option<String>,
}

#[derive(Debug, Clone)]
struct Served {
    server: Arc<ForkServer>,
    /// How many holders it keeps ahead.
    prepared: u32,
    /// What is hidden from most sessions.
    hidden: Vec<AbsPath>,
}

/// A session that runs, and the process that holds it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) holder: Holder,
    /// The connection by which it was asked for, on which it listens to commands and tells the end. None where it was asked otherwise.
    pub(crate) control: Option<UnixStream>,
    pub(crate) enforced: Enforced,
}

/// What the runner found below a directory.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Scan {
    /// What is read-only by its name, absolute.
    pub(crate) found: Vec<AbsPath>,
    /// Whether there was more than it looks at.
    #[serde(default)]
    pub(crate) exhausted: bool,
    /// What had come to be, would have been obeyed, and was renamed.
    #[serde(default)]
    pub(crate) refused: Vec<Denial>,
}

/// Why a launch gave no session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LaunchError {
    /// Nothing was started.
    Refused(Refusal),
    /// The runner did not say.
    Unknown(String),
}

impl Runner {
    pub(crate) const fn new(path: RunnerPath) -> Self {
        Self { path, deadline: ANSWER_DEADLINE, served: None, scanner: None, home: None }
    }

    /// Has sessions started by a fork server that keeps `prepared` holders ahead, for sessions from which `hidden` is hidden. `dir` is a
    /// directory that this user alone can enter.
    pub(crate) fn with_fork_server(self, dir: PathBuf, prepared: u32, hidden: Vec<AbsPath>) -> Self {
        Self { served: Some(Served { server: Arc::new(ForkServer::new(dir)), prepared, hidden }), ..self }
    }

    /// Has directories looked through by one process that stays.
    pub(crate) fn with_scanner(self) -> Self {
        Self { scanner: Some(Arc::default()), ..self }
    }

    /// Has what is made ahead of sessions made for those whose home is `home`.
    pub(crate) fn with_home(self, home: Option<String>) -> Self {
        Self { home, ..self }
    }

    /// Starts the fork server ahead of the first session.
    pub(crate) async fn warm(&self) {
        if let Some(served) = &self.served {
            served.server.warm(|socket| self.start_server(served, socket)).await;
        }
    }

    /// Ends the fork server, with the holders that have no session, and no others.
    pub(crate) async fn stop(&self) {
        if let Some(served) = &self.served {
            served.server.stop().await;
        }
        if let Some(scanner) = &self.scanner {
            scanner.stop().await;
        }
    }

    /// The runner's own file, for sessions that run it.
    pub(crate) fn program(&self) -> Option<AbsPath> {
        AbsPath::new(&self.path.program).ok()
    }

    /// The command line of one of the runner's verbs, to be run as a session's own program.
    pub(crate) fn verb_argv(&self, verb: &str) -> Vec<String> {
        let program = self.path.program.to_string_lossy().into_owned();
        iter::once(program).chain(self.path.args.iter().cloned()).chain(iter::once(verb.to_owned())).collect()
    }

    /// Starts a session, and returns when its program runs.
    pub(crate) async fn launch(&self, spec: &LaunchSpec) -> Result<Answered, LaunchError> {
        let document =
            serde_json::to_vec(spec).map_err(|error| LaunchError::Refused(Refusal::Document { reason: error.to_string() }))?;
        for _ in 0..ATTEMPTS {
            let Some(stream) = self.connect().await else { break };
            match tokio::time::timeout(self.deadline, connection::ask(stream, &document)).await {
                Ok(Heard::Unread) => {}
                Ok(Heard::Line(line, stream)) => return self.answered(&line, stream).await,
                Err(_) => return Err(self.silent()),
            }
        }
        self.launch_alone(&document).await
    }

    async fn connect(&self) -> Option<UnixStream> {
        let served = self.served.as_ref()?;
        served.server.connect(|socket| self.start_server(served, socket)).await
    }

    async fn answered(&self, line: &[u8], stream: UnixStream) -> Result<Answered, LaunchError> {
        match serde_json::from_slice(line) {
            Ok(LaunchAnswer::Started { holder, enforced, .. }) => match connection::take(stream, holder).await {
                Ok((holder, control)) => Ok(Answered { holder, control: Some(control), enforced }),
                Err(error) => Err(LaunchError::Unknown(format!("the runner's holder was lost as it answered: {error}"))),
            },
            Ok(LaunchAnswer::Refused(refusal)) => {
                let _ = tokio::time::timeout(self.deadline, connection::closed(stream)).await;
                Err(LaunchError::Refused(refusal))
            }
            Err(_) => Err(LaunchError::Unknown("the runner died without an answer".to_owned())),
        }
    }

    fn silent(&self) -> LaunchError {
        let waited = self.deadline.as_millis();
        LaunchError::Unknown(format!("the runner did not answer within {waited} ms, and was ended"))
    }

    /// Starts a session by a runner of its own.
    async fn launch_alone(&self, document: &[u8]) -> Result<Answered, LaunchError> {
        let mut holder = Unclaimed(Some(self.start("hold", Stdio::piped()).map_err(|error| self.not_started(&error))?));
        let child = holder.0.as_mut().ok_or_else(|| LaunchError::Unknown("the runner vanished".to_owned()))?;
        let line = match tokio::time::timeout(self.deadline, talk(child, document)).await {
            Ok(line) => line,
            Err(_) => {
                ending::end(child).await;
                return Err(self.silent());
            }
        };
        match serde_json::from_slice(&line) {
            Ok(LaunchAnswer::Started { enforced, .. }) => {
                let holder = holder.0.take().map(Holder::Started);
                holder
                    .map(|holder| Answered { holder, control: None, enforced })
                    .ok_or_else(|| LaunchError::Unknown(String::new()))
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

    /// Asks the runner what below `root` is read-only by its name: one of those that always are, or of `names`. What has come to be
    /// `since` and would be obeyed is renamed first.
    pub(crate) async fn scan(&self, root: &AbsPath, names: &[String], since: Option<SystemTime>) -> io::Result<Scan> {
        let since = since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
        let since = since.map(|since| ["--since".to_owned(), since.as_nanos().to_string()]);
        let since = since.iter().flatten().map(String::as_str);
        let protect = names.iter().flat_map(|name| ["--protect", name.as_str()]);
        let arguments: Vec<&str> = protect.chain(since).chain([root.as_str()]).collect();
        if let Some(scanner) = &self.scanner
            && let Some(said) = scanner.ask(&arguments, || self.start_with(&["scan", "--stay"], Stdio::piped())).await
            && let Ok(scan) = serde_json::from_slice(&said)
        {
            return Ok(scan);
        }
        self.scan_alone(&arguments).await
    }

    async fn scan_alone(&self, arguments: &[&str]) -> io::Result<Scan> {
        let arguments: Vec<&str> = iter::once("scan").chain(arguments.iter().copied()).collect();
        let mut child = Unclaimed(Some(self.start_with(&arguments, Stdio::null())?));
        let Some(running) = child.0.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let mut said = Vec::new();
        if let Some(output) = running.stdout.take() {
            let mut output = output.take(MAX_SCAN);
            tokio::time::timeout(SCAN_DEADLINE, output.read_to_end(&mut said)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        }
        let scan = serde_json::from_slice(&said);
        if scan.is_err() {
            let complaint = complaint(running).await;
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it gave no list{complaint}")));
        }
        reap(child.0.take()).await;
        scan.map_err(io::Error::from)
    }

    /// Runs a program that does nothing in the sandbox of a workspace at `dir`, and gives the proof of it, which is left as `proof`.
    pub(crate) async fn try_out(&self, dir: &Path, proof: &Path) -> io::Result<Enforced> {
        let words = ["run", "-s", "workspace-write", "-C"].map(OsStr::new);
        let words = words.into_iter().chain([dir.as_os_str(), "--proof".as_ref(), proof.as_os_str()]);
        let words: Vec<_> = words.chain(["--", "/bin/sh", "-c", ":"].map(OsStr::new)).collect();
        let mut child = Unclaimed(Some(self.start_with(&words, Stdio::null())?));
        let Some(running) = child.0.as_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let ended = tokio::time::timeout(self.deadline, running.wait()).await;
        let ended = ended.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it did not end"))??;
        if !ended.success() {
            return Err(io::Error::other(format!("{ended}{}", complaint(running).await)));
        }
        let mut proof: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&std::fs::read(proof)?)?;
        Ok(serde_json::from_value(proof.remove("enforced").unwrap_or_default())?)
    }

    fn start_server(&self, served: &Served, socket: Stdio) -> io::Result<Child> {
        let prepared = served.prepared.to_string();
        let hidden = served.hidden.iter().flat_map(|path| ["--hide", path.as_str()]);
        let words: Vec<&str> = ["serve", "--prepared", prepared.as_str()].into_iter().chain(hidden).collect();
        self.start_with(&words, socket)
    }

    fn start(&self, verb: &str, input: Stdio) -> io::Result<Child> {
        self.start_with(&[verb], input)
    }

    fn start_with(&self, verb: &[impl AsRef<OsStr>], input: Stdio) -> io::Result<Child> {
        #[expect(clippy::disallowed_methods, reason = "this is the node's runner client")]
        let mut command = Command::new(&self.path.program);
        command
            .args(&self.path.args)
            .args(verb)
            .env_clear()
            .envs(self.home.iter().map(|home| ("HOME", home)))
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn()?;
        descriptors::lower_for(child.id());
        Ok(child)
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

#[cfg(test)]
mod tests;
