//! The runner's fork server, as its keeper: started when it is first needed, again when it has died, and given up when it cannot start.
//!
//! Its socket has no name: it is bound, opened and unlinked, so that nobody but this process can ask it for sessions and nothing is left
//! behind. The server goes when the pipe from it closes, which happens with this process however that ends.

use rustix::fs::{Mode, OFlags, open};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdout};
use tokio::sync::Mutex;

/// The socket's name while it has one.
const SOCKET: &str = "launch.sock";

/// What the server says when sessions can be asked for.
const READY: &[u8] = b"ready\n";

/// How long the server may take to start, and to go.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long a server that could not be started is not tried again.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// Keeps one fork server.
#[derive(Debug)]
pub(crate) struct ForkServer {
    /// A directory that this user alone can enter.
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, and it is up nearly always")]
enum State {
    Off,
    Up(Up),
    GivenUp(Instant),
    Stopped,
}

#[derive(Debug)]
struct Up {
    /// The way to the socket.
    socket: OwnedFd,
    child: Child,
    /// The server goes when this is closed.
    keeps: Option<ChildStdout>,
}

impl ForkServer {
    /// A server that is not started yet.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, state: Mutex::new(State::Off) }
    }

    /// Connects to the server, which `start` starts with the given socket as its standard input if need be. `None` when it cannot be
    /// started.
    pub(crate) async fn connect(&self, start: impl Fn(Stdio) -> io::Result<Child>) -> Option<UnixStream> {
        let mut state = self.state.lock().await;
        if let State::Up(up) = &mut *state
            && let Some(stream) = up.connect().await
        {
            return Some(stream);
        }
        self.restart(&mut state, start).await;
        match &mut *state {
            State::Up(up) => up.connect().await,
            State::Off | State::GivenUp(_) | State::Stopped => None,
        }
    }

    /// Starts the server if it is not up, so that the first session need not wait for it.
    pub(crate) async fn warm(&self, start: impl Fn(Stdio) -> io::Result<Child>) {
        let mut state = self.state.lock().await;
        if matches!(*state, State::Off) {
            self.restart(&mut state, start).await;
        }
    }

    async fn restart(&self, state: &mut State, start: impl Fn(Stdio) -> io::Result<Child>) {
        match state {
            State::Stopped => return,
            State::GivenUp(since) if since.elapsed() < GIVEN_UP => return,
            State::Up(_) => tracing::warn!("the runner's fork server has died; it is started again"),
            State::Off | State::GivenUp(_) => {}
        }
        *state = match tokio::time::timeout(DEADLINE, open_server(&self.dir, start)).await {
            Ok(Ok(up)) => State::Up(up),
            failed => {
                let reason = failed.map_or_else(|_| "it does not answer".to_owned(), |failed| format!("{:?}", failed.err()));
                tracing::warn!(reason, "the runner's fork server cannot be started; each session starts a runner of its own");
                State::GivenUp(Instant::now())
            }
        };
    }

    /// Ends the server, and waits until it has gone. Sessions live on.
    pub(crate) async fn stop(&self) {
        let mut state = self.state.lock().await;
        if let State::Up(up) = &mut *state {
            up.keeps = None;
            if tokio::time::timeout(DEADLINE, up.child.wait()).await.is_err() {
                let _ = up.child.kill().await;
            }
        }
        *state = State::Stopped;
    }
}

impl Up {
    async fn connect(&mut self) -> Option<UnixStream> {
        // One that has died takes a moment to take its socket along.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return None;
        }
        UnixStream::connect(format!("/proc/self/fd/{}", self.socket.as_raw_fd())).await.ok()
    }
}

async fn open_server(dir: &Path, start: impl Fn(Stdio) -> io::Result<Child>) -> io::Result<Up> {
    let (listener, socket) = nameless_socket(dir)?;
    let mut child = start(OwnedFd::from(listener).into())?;
    let mut keeps = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut said = [0; READY.len()];
    match keeps.read_exact(&mut said).await {
        Ok(_) if said == *READY => Ok(Up { socket, child, keeps: Some(keeps) }),
        Ok(_) => Err(io::Error::other("it said something else than that it is ready")),
        Err(_) => Err(io::Error::other("it ended")),
    }
}

/// A listening socket without a name, and the way to it.
fn nameless_socket(dir: &Path) -> io::Result<(UnixListener, OwnedFd)> {
    // By way of the open directory: the kernel takes only short names.
    let held = File::open(dir)?;
    let name = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd())).join(SOCKET);
    // What a life that was cut off just here left behind.
    let _ = std::fs::remove_file(&name);
    let listener = UnixListener::bind(&name)?;
    let socket = open(&name, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty());
    std::fs::remove_file(&name)?;
    Ok((listener, socket?))
}
