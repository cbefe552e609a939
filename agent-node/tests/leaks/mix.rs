//! Sessions that try to leave something behind.

use crate::fixture::{Client, Fixture, bearer, kill_process, marker, parent};
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::session::{SessionEvent, StartCall};

/// How many kinds there are.
pub(crate) const KINDS: usize = 8;

/// Runs the session of that number to its end, and releases it.
pub(crate) async fn one(node: &Fixture, mut client: Client, number: usize) {
    let mark = marker();
    let script = match number % KINDS {
        0 | 1 => "true".to_owned(),
        2 => "b() { b | b & }; b; sleep 1000".to_owned(),
        3 => "(setsid sh -c 'sleep 1000 & sleep 1000' &) ; exit 0".to_owned(),
        // The children of a program that never asks for them.
        4 => "for n in 1 2 3 4 5; do true & done; exec sleep 0.05".to_owned(),
        5 => "sleep 1000 & kill -STOP $!; exit 3".to_owned(),
        6 => format!("exec sleep {mark}"),
        _ => "setsid sleep 1000 & exec sleep 1000".to_owned(),
    };
    let mut call = node.call(&client, &script);
    call.limits.processes = Some(64);
    if number.is_multiple_of(2) {
        call.stdio = Stdio::Terminal(TermSize::default());
    }
    let session = run(&mut client, &call, number % KINDS, &mark).await;
    client.release(session).await.unwrap();
}

async fn run(client: &mut Client, call: &StartCall, kind: usize, mark: &str) -> capstan_types::id::SessionId {
    let mut events = client.start(call).await.unwrap();
    let session = events.started().await;
    match kind {
        2 | 7 => client.kill(session).await.unwrap(),
        6 => kill_process(parent(bearer(mark).await)),
        _ => {}
    }
    while !matches!(events.next().await.unwrap(), Some(SessionEvent::Ended { .. })) {}
    session
}
