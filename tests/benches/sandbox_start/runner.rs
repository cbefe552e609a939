//! The runner's two doors: a process for each session, and the fork server.

use crate::session::{Session, request};
use capstan_tests::process::command;
use capstan_types::policy::Level;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// The variable that names the runner.
pub(crate) const VARIABLE: &str = "CAPSTAN_RUNNER";

/// The runner: `CAPSTAN_RUNNER`, or the one that was built beside this benchmark.
pub(crate) fn program() -> PathBuf {
    let beside = || std::env::current_exe().expect("this program has a path").with_file_name("../capstan-sandbox");
    let program = std::env::var_os(VARIABLE).map_or_else(beside, PathBuf::from);
    program.canonicalize().expect("the runner is built: cargo build --release -p capstan-sandbox")
}

/// One session by a runner of its own: the time to its end.
pub(crate) fn alone(state: &Path, argv: &[&str], strongest: Option<Level>) -> Duration {
    let start = Instant::now();
    let (dir, document) = request(state, argv, strongest);
    let mut hold = command(program().to_str().expect("the path is UTF-8"));
    hold.arg("hold").env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = hold.spawn().expect("the runner can be started");
    child.stdin.take().expect("its input is piped").write_all(&document).expect("the runner reads");
    let mut session = Session::attach(dir, child.stdout.take().expect("its output is piped"));
    session.ended();
    let took = start.elapsed();
    session.forget();
    child.wait().expect("the holder can be waited for");
    took
}

/// A fork server that runs, and ends when this is dropped.
pub(crate) struct Server {
    socket: PathBuf,
    keeper: Option<ChildStdout>,
    child: Child,
}

impl Server {
    /// Starts one with so many holders ahead; its socket lies in `state`.
    pub(crate) fn start(state: &Path, name: &str, prepared: u32) -> Self {
        let socket = state.join(name);
        let listener = UnixListener::bind(&socket).expect("a socket can be bound");
        let mut serve = command(program().to_str().expect("the path is UTF-8"));
        serve.args(["serve", "--prepared", &prepared.to_string()]).env_clear();
        serve.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::piped());
        let mut child = serve.spawn().expect("the runner can be started");
        let mut keeper = child.stdout.take().expect("its output is piped");
        keeper.read_exact(&mut [0; 6]).expect("the server says that it is ready");
        Self { socket, keeper: Some(keeper), child }
    }

    /// The process ids of its holders.
    pub(crate) fn holders(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts a session.
    pub(crate) fn launch(&self, state: &Path, argv: &[&str], strongest: Option<Level>) -> (Session, UnixStream) {
        let (dir, document) = request(state, argv, strongest);
        let mut stream = UnixStream::connect(&self.socket).expect("the server listens");
        let length = u32::try_from(document.len()).expect("a document is short").to_be_bytes();
        stream.write_all(&[&length, document.as_slice()].concat()).expect("the holder reads");
        let session = Session::attach(dir, &stream);
        stream.write_all(b".").expect("the holder waits for the answer to be taken");
        (session, stream)
    }

    /// One session: the time to its end.
    pub(crate) fn once(&self, state: &Path, argv: &[&str], strongest: Option<Level>) -> Duration {
        let start = Instant::now();
        let (mut session, mut life) = self.launch(state, argv, strongest);
        session.ended();
        let took = start.elapsed();
        session.forget();
        life.read_to_end(&mut Vec::new()).expect("the holder goes");
        took
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.keeper = None;
        let _ = self.child.wait();
    }
}
