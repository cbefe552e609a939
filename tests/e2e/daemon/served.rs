//! What a coordinator takes over, what it lives beside, and what it withstands.

use super::{Daemon, SERVES_WITHIN, SOON, exec, workspace};
use crate::scripted::{command, contains, says, step, write};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::process::Signal;
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

fn steps() -> Vec<Value> {
    vec![step([], [command("echo", "echo on it")]), step([contains("echo", "on it")], [says("done")])]
}

#[test]
fn the_socket_is_its_owners_alone_and_that_of_a_dead_coordinator_is_taken_over() {
    let daemon = Daemon::playing(&steps());
    let socket = daemon.home.path().join("coordinator.sock");
    let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(socket.clone()), mode(daemon.home.path())), (0o600, 0o700));
    let daemon = daemon.killed_and_started_again();
    daemon.exec().run().assert_code(0);
    daemon.running.send(Signal::Terminate);
    let ended = daemon.running.wait();
    ended.assert_code(0);
    assert_eq!(ended.stdout.lines().count(), 1, "{ended}");
    assert!(!socket.exists(), "the socket is left");
    let again = Daemon::start(daemon.home, &[]);
    again.exec().run().assert_code(0);
}

#[test]
fn garbage_does_not_disturb_the_others() {
    let home = Home::new();
    fs::create_dir(workspace(&home)).expect("a directory can be made");
    write(home.root(), &steps());
    let daemon = Daemon::start(home, &["--listen", "127.0.0.1:0"]);
    let socket = daemon.home.path().join("coordinator.sock");
    let port = daemon.places[1].trim_start_matches("http://").to_owned();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let noise: Vec<u8> = (0..200_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let garbage = [b"GET / HTTP/1.1\r\n\r\n".to_vec(), noise.clone(), [preface.clone(), noise].concat(), preface, Vec::new()];
    let mut kept: Vec<Box<dyn Send>> = Vec::new();
    for bytes in garbage {
        let (mut unix, mut tcp) =
            (UnixStream::connect(&socket).expect("it serves"), TcpStream::connect(&port).expect("it serves"));
        // The coordinator may hang up in the middle.
        let _ = (unix.write_all(&bytes), tcp.write_all(&bytes));
        kept.push(Box::new((unix, tcp)));
    }
    daemon.exec().run().assert_code(0);
    let by_token = exec(&daemon.home).args(["--coordinator", &port]);
    by_token.arg("--coordinator-token-file").arg(daemon.token_file.clone().expect("a token")).run().assert_code(0);
    drop(kept);
    daemon.running.send(Signal::Terminate);
    let ended = daemon.running.wait();
    ended.assert_code(0);
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("fault"), "{ended}");
}

#[test]
fn a_coordinator_uses_nodes_that_run_and_embeds_none() {
    let (far, home) = (Home::new(), Home::new());
    let address = format!("unix://{}/node.sock", far.root().display());
    let node = Capstan::new(&far).args(["node", "--name", "far", "--listen", &address]).start();
    wait::until_true(SERVES_WITHIN, "a node that serves", || !node.stdout().is_empty());
    fs::create_dir(workspace(&home)).expect("a directory can be made");
    write(home.root(), &steps());
    let daemon = Daemon::start(home, &["--node", &address]);
    let run = daemon.exec().run();
    run.assert_code(0);
    assert_eq!(run.items_of("command_execution")[0]["capstan"]["node"], "far", "{run}");
    assert!(!daemon.home.path().join("coordinator.node").exists(), "a node was embedded");
    node.send(Signal::Terminate);
    node.wait().assert_code(0);
}

#[test]
fn a_command_with_a_coordinator_of_its_own_lives_beside_the_one_of_its_home() {
    let daemon = Daemon::playing(&steps());
    let alone = exec(&daemon.home).arg("--script").arg(daemon.home.root().join("script.json"));
    let alone = alone.env("CAPSTAN_COORDINATOR", daemon.socket()).args(["--coordinator", ""]);
    let (running, beside) = (alone.start(), daemon.exec().start());
    running.wait().assert_code(0);
    beside.wait().assert_code(0);
    assert!(daemon.home.path().join("node").exists(), "nothing was embedded");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // The session does not end by itself, and its turn has a grace of seconds.
    let trap = "trap '' TERM INT HUP; echo begun > began; while :; do sleep 0.05; done";
    let daemon = Daemon::playing(&[step([], [command("trap", trap)]), step([contains("trap", "Process")], [says("done")])]);
    let client = daemon.exec().args(["--coordinator-timeout", "1"]).start();
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    daemon.running.send(Signal::Terminate);
    let sent = std::time::Instant::now();
    // It may be gone already.
    let _ = capstan_tests::process::send(Signal::Terminate, daemon.running.pid());
    daemon.running.wait().assert_code(0);
    assert!(sent.elapsed() < SOON, "{:?}", sent.elapsed());
    let run = client.wait();
    assert_eq!(run.status.code(), Some(1), "{run}");
}
