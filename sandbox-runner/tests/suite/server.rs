//! A fork server, and its keeper's side of a connection.

use crate::client::{PATIENCE, runner, wait_until};
use capstan_types::launch::{LaunchAnswer, LaunchSpec};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A server that runs, and ends when this is dropped.
pub(crate) struct Server {
    dir: TempDir,
    keeper: Option<ChildStdout>,
    pub(crate) process: Child,
}

/// Whether the suite is to start its sessions by a server rather than each by a runner of its own: `CAPSTAN_SUITE_BY_SERVER`.
pub(crate) fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    std::env::var_os("CAPSTAN_SUITE_BY_SERVER").map(|_| SERVER.get_or_init(|| Server::start(1)))
}

impl Server {
    pub(crate) fn start(prepared: usize) -> Self {
        let mut serve = runner("serve");
        serve.args(["--prepared", &prepared.to_string()]);
        Self::started_by(serve)
    }

    /// Starts one by a command of the test's own.
    pub(crate) fn started_by(mut serve: Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        serve.env("DAEMON_SECRET", "s3cr3t").stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::piped());
        let mut process = serve.spawn().unwrap();
        // The command holds the socket, and would keep it open.
        drop(serve);
        let mut keeper = process.stdout.take().unwrap();
        let mut said = [0; 6];
        keeper.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"ready\n");
        Self { dir, keeper: Some(keeper), process }
    }

    pub(crate) fn connect(&self) -> std::io::Result<UnixStream> {
        let stream = UnixStream::connect(self.dir.path().join("s"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Asks for a session, and takes the answer.
    pub(crate) fn launch(&self, spec: &LaunchSpec) -> (LaunchAnswer, UnixStream) {
        let mut stream = self.connect().unwrap();
        let answer = ask(&mut stream, &serde_json::to_vec(spec).unwrap());
        if matches!(answer, LaunchAnswer::Started { .. }) {
            stream.write_all(b".").unwrap();
        }
        (answer, stream)
    }

    /// The process ids of its children: the holders.
    pub(crate) fn holders(&self) -> Vec<u32> {
        let pid = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Waits until so many holders are there.
    pub(crate) fn await_holders(&self, count: usize) -> Vec<u32> {
        wait_until("the forking of holders", || self.holders().len() == count);
        self.holders()
    }

    /// Lets go of the server, and waits until it has gone.
    pub(crate) fn leave(&mut self) -> Option<i32> {
        self.keeper = None;
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Hands over a document and reads the answer.
pub(crate) fn ask(stream: &mut UnixStream, document: &[u8]) -> LaunchAnswer {
    stream.write_all(&u32::try_from(document.len()).unwrap().to_be_bytes()).unwrap();
    // A runner that has seen enough does not read to the end.
    let _ = stream.write_all(document);
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}
