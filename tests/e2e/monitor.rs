//! What daemons tell those who watch them: figures over HTTP, and words to the service manager.

mod deployment;
mod figures;
mod service_manager;

use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::wait::until;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A node and a coordinator that uses it, both watched.
struct Watched {
    home: Home,
    node: Running,
    coordinator: Running,
}

impl Watched {
    fn start(script: impl Fn(&Path) -> PathBuf) -> Self {
        let home = Home::new();
        let script = script(home.root());
        let socket = format!("unix://{}", home.path().join("node.sock").display());
        let monitor = ["--monitor", "127.0.0.1:0"];
        let node = Capstan::new(&home).args(["node", "--name", "n", "--listen", &socket]).args(monitor);
        let node = node.deadline(Duration::from_secs(300)).start();
        let _ = monitor_of(&node);
        let coordinator = Capstan::new(&home).args(["coordinator", "--node", &socket]).args(monitor);
        let coordinator = coordinator.arg("--script").arg(script).deadline(Duration::from_secs(300)).start();
        Self { home, node, coordinator }
    }

    fn exec(&self) -> Capstan {
        let socket = format!("unix://{}", self.home.path().join("coordinator.sock").display());
        let exec = Capstan::exec(&self.home, "Do it.").args(["-s", "workspace-write", "-m", "scripted"]);
        exec.args(["--coordinator", &socket])
    }
}

/// Where a daemon says that it can be watched.
fn monitor_of(daemon: &Running) -> String {
    until(SOON, "a monitor that is announced", || {
        assert!(!daemon.stderr().contains("error:"), "{}", daemon.stderr());
        let said = daemon.stdout();
        Some(said.lines().next()?.split("monitor at http://").nth(1)?.to_owned())
    })
}

/// The status and the body of an answer.
fn get(at: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).expect("a monitor listens");
    stream.set_read_timeout(Some(SOON)).expect("a deadline can be set");
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n").as_bytes()).expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head.lines().next().unwrap_or_default().split_once(' ').expect("a status").1.to_owned(), body.to_owned())
}
