//! Many clients at once.

use super::{Daemon, SOON};
use crate::scripted::{command, contains, says, step, write};
use crate::stored::Stored;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait;
use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const CLIENTS: usize = 50;

#[test]
fn fifty_clients_at_once_each_get_their_own_thread_whole() {
    let daemon = Daemon::playing(&[
        step([], [says("I begin."), command("echo", "echo on it; echo x >> log")]),
        step([contains("echo", "on it")], [says("done")]),
    ]);
    let clients: Vec<_> = (0..CLIENTS).map(|_| daemon.exec().deadline(Duration::from_secs(240)).start()).collect();
    let mut threads = Vec::new();
    for run in clients.into_iter().map(capstan_tests::capstan::Running::wait) {
        run.assert_code(0);
        super::assert_once(
            &run,
            &[
                "thread.started",
                "turn.started",
                "item.completed agent_message",
                "item.started command_execution",
                "item.completed command_execution",
                "item.completed agent_message",
                "turn.completed",
            ],
        );
        threads.push(run.lines()[0]["thread_id"].to_string());
    }
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), CLIENTS);
    assert_eq!(Stored::read(&daemon.home).threads.len(), CLIENTS);
    let log = fs::read_to_string(daemon.file("log")).expect("it was written");
    assert_eq!(log.lines().count(), CLIENTS);
    // And one more, to show that nothing is used up.
    let last = daemon.exec().run();
    last.assert_code(0);
    assert!(last.took < SOON, "{last}");
}

/// Connections that a listener serves.
const MOST: usize = 256;

#[test]
fn a_client_too_many_is_told_so_and_there_is_room_when_another_leaves() {
    let home = Home::new();
    write(home.root(), &[step([], [says("done")])]);
    let daemon = Daemon::start(home, &["--listen", "127.0.0.1:0"]);
    let path = daemon.socket().strip_prefix("unix://").expect("a socket").to_owned();
    let crowd: Vec<_> = (0..MOST).map(|_| UnixStream::connect(&path).expect("it accepts")).collect();
    let list = |place: &[&str]| Capstan::new(&daemon.home).args(["sessions", "list"]).args(place.iter().copied()).run();
    let sentence = "this coordinator has 256 connections of clients here, which is the most; end some of them, and try again";
    wait::until_true(SOON, "a client is refused", || {
        let run = list(&[]);
        run.status.code() == Some(2) && run.stderr.contains(sentence)
    });
    let token = daemon.token_file.as_ref().expect("there is a token").display().to_string();
    list(&["--coordinator", &daemon.places[1], "--coordinator-token-file", &token]).assert_code(0);
    drop(crowd);
    wait::until_true(SOON, "there is room again", || list(&[]).status.code() == Some(0));
}
