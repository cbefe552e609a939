//! A tree of processes that do not want to end.

use crate::fixture::{Fixture, eventually, lives, marked, marker};
use capstan_types::session::SessionEvent;
use std::time::Instant;

/// How many there are, in sessions of their own and without a parent that waits for them.
const PROCESSES: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_tree_is_dead_to_the_last_process_before_its_end_is_told() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let deaf = "trap '' HUP INT QUIT TERM USR1 USR2 PIPE";
    let one = format!("(setsid sh -c \"{deaf}; sleep {mark}; sleep {mark}\" &) &");
    let script = format!("{deaf}; for n in $(seq {PROCESSES}); do {one} done; while :; do sleep 1000; done");
    let mut events = client.start(&node.call(&client, &script)).await.unwrap();
    let session = events.started().await;
    // Each has a shell and its child, and the first shell bears the mark as well.
    eventually("all of them run", async || marked(&mark).len() > 2 * PROCESSES).await;
    let began = Instant::now();
    client.kill(session).await.unwrap();
    let end = loop {
        if let Some(SessionEvent::Ended { end, .. }) = events.next().await.unwrap() {
            break end;
        }
    };
    let took = began.elapsed();
    let left: Vec<_> = marked(&mark).into_iter().filter(|pid| lives(*pid)).collect();
    assert_eq!(left, Vec::<u32>::new(), "the end {end:?} was told before these were dead");
    println!("{PROCESSES} hostile processes and their children were dead after {took:.1?}");
    client.release(session).await.unwrap();
    node.running.shutdown().await;
}
