//! Starts the members of a cluster on this machine, and the tools that make networks. The only place of this program in which a process is
//! started: all that a model asks for is started by nodes.
//!
//! A member outlives this program and its terminal: it is in a process group of its own, reads nothing, and prints into its log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a tool may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What is started.
#[derive(Debug)]
pub(super) struct Start {
    /// The program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// All of its environment.
    pub(super) environment: BTreeMap<String, String>,
    /// The directory in which it works.
    pub(super) home: PathBuf,
    /// The file that it prints into.
    pub(super) log: PathBuf,
}

/// Starts a member. Dropping the child leaves it running.
pub(super) fn start(start: &Start) -> io::Result<Child> {
    let log = log(&start.log)?;
    let told = log.try_clone()?;
    #[expect(clippy::disallowed_methods, reason = "this is where the members of a cluster on this machine are started")]
    let mut command = Command::new(&start.program);
    command.args(&start.arguments).env_clear().envs(&start.environment).current_dir(&start.home).process_group(0);
    command.stdin(Stdio::null()).stdout(told).stderr(log).spawn()
}

fn log(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Runs a tool to its end, and gives what it printed, or what it said was wrong.
pub(super) async fn tool(program: &Path, arguments: &[&str]) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "the network of such a cluster is made by the system's own tools")]
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
    let what = || format!("`{} {}`", program.display(), arguments.join(" "));
    let done = timeout(DEADLINE, command.output()).await;
    let done = done.map_err(|_| format!("{} did not end within {} s", what(), DEADLINE.as_secs()))?;
    let done = done.map_err(|error| format!("{} cannot be run: {error}", what()))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{} failed: {}", what(), String::from_utf8_lossy(&done.stderr).trim()))
}
