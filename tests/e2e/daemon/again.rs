//! The next turn: what a thread knows of its sessions after its coordinator died, ended, or interrupted a turn.

use super::{Daemon, SOON};
use crate::scripted::{call, command, command_left_running, contains, exited, says, step, write};
use crate::stored::Stored;
use crate::two_processes::Node;
use capstan_proto::transport::channel;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_proto::wire::client::{InterruptRequest, OnInterrupt, StartTurnRequest};
use capstan_tests::capstan::Home;
use capstan_tests::process::{self, Signal};
use capstan_tests::wait;
use capstan_types::history::Entry;
use capstan_types::node::NodeAddress;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// A command that goes on when it is let.
const WAITS: &str = "echo one; echo begun > began; until [ -e go ]; do sleep 0.05; done; echo two; exit 3";

/// Long enough for a coordinator to be started again on a busy machine.
const OWNERLESS: Duration = Duration::from_secs(8);

fn poll(id: &str) -> Value {
    call(id, "write_stdin", &json!({ "session_id": 1000, "yield_time_ms": 60_000 }))
}

/// A daemon on this home, with sessions that live long without an owner.
fn daemon(steps: &[Value], more: &[&str]) -> Daemon {
    let home = Home::new();
    home.configure(&format!("ownerless_timeout_ms = {}", OWNERLESS.as_millis()));
    fs::create_dir(super::workspace(&home)).expect("a directory can be made");
    write(home.root(), steps);
    Daemon::start(home, more)
}

/// What a client asks of the turns of the only thread.
fn ask(daemon: &Daemon, interrupt: Option<OnInterrupt>) {
    let thread_id = Stored::read(&daemon.home).only().record.id.to_string();
    let socket = daemon.socket().trim_start_matches("unix://").to_owned();
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(async {
        let mut turns = TurnsClient::new(channel(&NodeAddress::Unix(socket)).expect("an address"));
        match interrupt {
            Some(sessions) => {
                let request = InterruptRequest { thread_id, sessions: sessions.into(), ..InterruptRequest::default() };
                turns.interrupt(request).await.expect("the turn is interrupted");
            }
            None => {
                let request = StartTurnRequest { thread_id, text: "Go on.".to_owned(), ..StartTurnRequest::default() };
                turns.start(request).await.expect("a turn starts");
            }
        }
    });
}

/// Waits until so many turns have ended, and gives how the last one did.
fn until_ended(daemon: &Daemon, turns: usize) -> String {
    wait::until(SOON * 2, "the end of a turn", || {
        let kinds = Stored::read(&daemon.home).only().kinds();
        let ends: Vec<_> = kinds.into_iter().filter(|kind| kind.starts_with("turn ") && kind != "turn started").collect();
        (ends.len() == turns).then(|| ends.last().cloned()).flatten()
    })
}

/// What the model was told of a call.
fn output_of(daemon: &Daemon, id: &str) -> String {
    let stored = Stored::read(&daemon.home);
    let told = stored.only().entries.iter().rev().find_map(|entry| match entry {
        Entry::CallOutput { model_call_id, output } if model_call_id == id => Some(output.clone()),
        _ => None,
    });
    told.unwrap_or_else(|| panic!("{id} has no output: {:#?}", stored.only().entries))
}

/// What the model was told of its sessions when the last turn began.
fn announced(daemon: &Daemon) -> String {
    let stored = Stored::read(&daemon.home);
    let told = stored.only().entries.iter().rev().find_map(|entry| match entry {
        Entry::Developer { text } if text.starts_with("<sessions>") => Some(text.clone()),
        _ => None,
    });
    told.unwrap_or_else(|| panic!("nothing was said of sessions: {:#?}", stored.only().entries))
}

/// A turn that leaves a session behind, and one that reads it to its end.
fn left_and_polled() -> [Value; 4] {
    [
        step([], [command_left_running("build", WAITS)]),
        step([contains("build", "session ID 1000")], [says("It runs.")]),
        step([], [poll("poll")]),
        step([exited("poll", 3)], [says("done")]),
    ]
}

/// The second turn reads the session to its end, and is told nothing twice.
fn goes_on_to_the_end(daemon: &Daemon) {
    fs::write(daemon.file("go"), "").expect("a file can be written");
    ask(daemon, None);
    assert_eq!(until_ended(daemon, 2), "turn completed", "{:#?}", Stored::read(&daemon.home).only().entries);
    let (first, second) = (output_of(daemon, "build"), output_of(daemon, "poll"));
    assert!(first.ends_with("Output:\none\n"), "{first}");
    assert!(second.ends_with("Output:\ntwo\n"), "{second}");
    wait::until_true(SOON, "no session left", || process::at(&super::workspace(&daemon.home)).is_empty());
}

#[test]
fn a_session_of_an_earlier_turn_outlives_its_coordinator_and_is_read_by_the_next() {
    let daemon = daemon(&left_and_polled(), &[]);
    daemon.exec().run().assert_code(0);
    let daemon = daemon.killed_and_started_again();
    // Nobody asks for the thread in this time: the session has an owner again all the same.
    let began = Instant::now();
    wait::until_true(SOON, "the time without an owner", || began.elapsed() > OWNERLESS + Duration::from_secs(3));
    assert!(!process::at(&super::workspace(&daemon.home)).is_empty(), "the session was left without an owner");
    goes_on_to_the_end(&daemon);
}

#[test]
fn a_turn_that_nobody_follows_goes_on_with_the_next_coordinator() {
    let steps = [step([], [command("held", WAITS)]), step([exited("held", 3)], [says("done")])];
    let daemon = daemon(&steps, &[]);
    let client = daemon.exec().start();
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    let _ = client.crash();
    let daemon = daemon.killed_and_started_again();
    fs::write(daemon.file("go"), "").expect("a file can be written");
    assert_eq!(until_ended(&daemon, 1), "turn completed", "{:#?}", Stored::read(&daemon.home).only().entries);
    assert!(output_of(&daemon, "held").ends_with("Output:\none\ntwo\n"), "{}", output_of(&daemon, "held"));
}

#[test]
fn sessions_survive_an_orderly_end_of_their_coordinator_on_a_node_of_its_own() {
    let node = Node::listening("unix://[ROOT]/node.sock");
    node.home.configure(&format!("ownerless_timeout_ms = {}", OWNERLESS.as_millis()));
    let daemon = daemon(&left_and_polled(), &["--node", &node.address]);
    daemon.exec().run().assert_code(0);
    daemon.running.send(Signal::Terminate);
    let Daemon { home, running, .. } = daemon;
    running.wait().assert_code(0);
    assert!(!process::at(&super::workspace(&home)).is_empty(), "the session was ended with the coordinator");
    let daemon = Daemon::start(home, &["--node", &node.address]);
    goes_on_to_the_end(&daemon);
}

#[test]
fn an_interrupted_turn_keeps_its_session_for_the_next_if_it_is_told_to() {
    let steps = [step([], [command("held", WAITS)]), step([], [poll("poll")]), step([exited("poll", 3)], [says("done")])];
    let daemon = daemon(&steps, &[]);
    let client = daemon.exec().start();
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    ask(&daemon, Some(OnInterrupt::KeepSessions));
    client.wait().assert_code(1);
    assert_eq!(until_ended(&daemon, 1), "turn interrupted");
    let kept = output_of(&daemon, "held");
    assert!(kept.contains("Process running with session ID 1000") && kept.ends_with("one\n"), "{kept}");
    fs::write(daemon.file("go"), "").expect("a file can be written");
    ask(&daemon, None);
    assert_eq!(until_ended(&daemon, 2), "turn completed", "{:#?}", Stored::read(&daemon.home).only().entries);
    assert!(announced(&daemon).contains("1000 ("), "{}", announced(&daemon));
    assert!(output_of(&daemon, "poll").ends_with("two\n"), "{}", output_of(&daemon, "poll"));
}

#[test]
fn an_interrupted_turn_ends_its_session_if_it_is_told_to() {
    let list = call("list", "sessions", &json!({ "action": "list" }));
    let steps = [step([], [command("held", WAITS)]), step([], [list]), step([contains("list", "No sessions.")], [says("done")])];
    let daemon = daemon(&steps, &[]);
    let client = daemon.exec().start();
    wait::until_true(SOON, "a command that runs", || daemon.file("began").exists());
    ask(&daemon, Some(OnInterrupt::KillSessions));
    client.wait().assert_code(1);
    wait::until_true(SOON, "no process left", || process::at(&super::workspace(&daemon.home)).is_empty());
    ask(&daemon, None);
    assert_eq!(until_ended(&daemon, 2), "turn completed", "{:#?}", Stored::read(&daemon.home).only().entries);
}
