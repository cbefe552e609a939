//! A service manager that listens: ready once everything serves, alive from then on, stopping when asked.

use super::SOON;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::process::Signal;
use std::os::unix::net::UnixDatagram;

/// The next message that is not about living.
fn next(socket: &UnixDatagram, lives: &mut usize) -> String {
    loop {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).expect("a message in time");
        let message = String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned();
        match message.as_str() {
            "WATCHDOG=1" => *lives += 1,
            _ => return message,
        }
    }
}

fn is_told(words: &[&str], status: &str) {
    let home = Home::new();
    let path = home.root().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket can be made");
    socket.set_read_timeout(Some(SOON)).expect("a deadline can be set");
    let listen = format!("unix://{}", home.path().join("daemon.sock").display());
    let daemon = Capstan::new(&home).args(words.iter().copied()).args(["--listen", &listen]);
    // It is to say that it lives every 50 ms.
    let daemon =
        daemon.env("NOTIFY_SOCKET", &path.display().to_string()).env("WATCHDOG_USEC", "100000").deadline(4 * SOON).start();
    let mut lives = 0;
    assert_eq!(next(&socket, &mut lives), format!("READY=1\nSTATUS={status}"));
    assert_eq!(lives, 0, "it lives before it serves");
    // What is ready can be used at once.
    assert!(home.path().join("daemon.sock").exists());
    let mut bytes = [0; 64];
    for _ in 0..5 {
        let length = socket.recv(&mut bytes).expect("it says that it lives");
        assert_eq!(String::from_utf8_lossy(&bytes[..length]).trim_end(), "WATCHDOG=1");
    }
    // A process that hangs falls silent, which is what a watchdog is for.
    daemon.send(Signal::Stop);
    socket.set_nonblocking(true).expect("it need not wait");
    while socket.recv(&mut bytes).is_ok() {}
    socket.set_nonblocking(false).expect("it may wait");
    socket.set_read_timeout(Some(std::time::Duration::from_millis(400))).expect("a deadline can be set");
    // One may have been on its way.
    let _ = socket.recv(&mut bytes);
    assert!(socket.recv(&mut bytes).is_err(), "a stopped process says that it lives");
    socket.set_read_timeout(Some(SOON)).expect("a deadline can be set");
    daemon.send(Signal::Continue);
    daemon.send(Signal::Terminate);
    assert_eq!(next(&socket, &mut lives), "STOPPING=1");
    daemon.wait().assert_code(0);
}

#[test]
fn a_node_says_when_it_is_ready_that_it_lives_and_that_it_stops() {
    is_told(&["node", "--name", "n"], "the node serves");
}

#[test]
fn a_coordinator_says_when_it_is_ready_that_it_lives_and_that_it_stops() {
    is_told(&["coordinator"], "the coordinator serves");
}
