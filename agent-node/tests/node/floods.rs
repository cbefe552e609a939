//! Sessions that write without end, seen through a node: exact counts, memory that stays, an end that comes at once, and neighbours that
//! notice little.
//!
//! Each flood runs for a second; `CAPSTAN_SECONDS` makes it longer.

use crate::fixture::{Client, Events, Fixture, exited, soon};
use capstan_proto::wire::node as wire;
use capstan_types::launch::{SessionEnd, Stdio, TermSize};
use capstan_types::output::chain::{Chain, Chaining};
use capstan_types::output::{Piece, Seq};
use capstan_types::session::SessionEvent;
use std::time::{Duration, Instant};

/// How much the node may grow, in KiB.
const MOST_GROWTH: u64 = 64 * 1024;
/// How long a cancelled flood may take to be over, on a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(2);

fn flood_time() -> Duration {
    let seconds = std::env::var("CAPSTAN_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

fn private_kib() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let of = |line: &str| line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap();
    rollup.lines().filter(|line| line.starts_with("Private_")).map(of).sum()
}

/// What one reader has of a session.
struct Reading {
    events: Events,
    at: Seq,
}

impl Reading {
    const fn of(events: Events) -> Self {
        Self { events, at: Seq(0) }
    }

    /// The next piece, or how it ended.
    async fn next(&mut self) -> Option<SessionEnd> {
        match self.events.next().await.unwrap() {
            Some(SessionEvent::Output(piece)) => {
                assert_eq!(piece.seq(), self.at, "pieces overlap, or leave a hole");
                self.at = piece.end();
                None
            }
            Some(SessionEvent::Ended { end, .. }) => Some(end),
            other => panic!("{other:?}"),
        }
    }

    async fn for_a_while(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            assert_eq!(self.next().await, None, "the flood has ended by itself");
        }
    }

    async fn until_the_end(&mut self) -> SessionEnd {
        loop {
            if let Some(end) = self.next().await {
                return end;
            }
        }
    }
}

async fn listed(client: &mut Client, session: &str) -> wire::ListedSession {
    let page = soon(client.exec.list(wire::ListRequest::default())).await.unwrap().into_inner();
    page.sessions.into_iter().find(|listed| listed.session_id == session).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_costs_the_node_no_memory_and_ends_at_once_for_every_reader() {
    let node = Fixture::start().await;
    let mut client = node.client();
    for (script, stdio) in [("yes", Stdio::PipesNoInput), ("tr '\\0' x < /dev/zero", Stdio::Terminal(TermSize::default()))] {
        let mut call = node.call(&client, script);
        call.stdio = stdio;
        let mut events = client.start(&call).await.unwrap();
        let session = events.started().await;
        let (mut one, mut other) = (Reading::of(events), Reading::of(client.attach(session, 0).await.unwrap()));
        // It is open, and nobody takes anything from it.
        let unread = client.attach(session, 0).await.unwrap();
        tokio::join!(one.for_a_while(flood_time() / 2), other.for_a_while(flood_time() / 2));
        let before = private_kib();
        tokio::join!(one.for_a_while(flood_time()), other.for_a_while(flood_time()));
        let after = private_kib();
        let begun = Instant::now();
        client.kill(session).await.unwrap();
        let (end, same) = tokio::join!(one.until_the_end(), other.until_the_end());
        let took = begun.elapsed();
        println!("{script}: {} MiB, node {before} KiB and then {after} KiB, cancelled in {took:?}", one.at.0 >> 20);
        assert_eq!((&end, &same), (&SessionEnd::Killed { by: "the test".to_owned() }, &end));
        assert_eq!(one.at, other.at, "two readers disagree on how much was written");
        assert!(after < before + MOST_GROWTH, "the node has grown from {before} to {after} KiB");
        assert!(took < AT_ONCE, "the end took {took:?}");
        assert_eq!(listed(&mut client, &session.to_string()).await.output_bytes, one.at.0);
        drop(unread);
        client.release(session).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_take_nothing_keep_nothing_from_others() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "yes");
    call.stdio = Stdio::PipesNoInput;
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let mut unread = Vec::new();
    for _ in 0..8 {
        unread.push(client.attach(session, 0).await.unwrap());
    }
    let mut reading = Reading::of(events);
    while reading.at.0 < 256 << 20 {
        assert_eq!(soon(reading.next()).await, None, "the flood has ended by itself");
    }
    client.kill(session).await.unwrap();
    assert_eq!(reading.until_the_end().await, SessionEnd::Killed { by: "the test".to_owned() });
    drop(unread);
    client.release(session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_tells_the_chain_by_which_a_reader_proves_that_it_has_all() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "seq 1 30000");
    call.limits.head = capstan_types::limits::ByteCap::new(1000).unwrap();
    call.limits.tail = capstan_types::limits::ByteCap::new(70_000).unwrap();
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    assert_eq!(Reading::of(events).until_the_end().await, exited(0));
    let told: Chain = listed(&mut client, &session.to_string()).await.chain.parse().unwrap();
    let (mut events, mut chaining, mut gaps) = (client.attach(session, 0).await.unwrap(), Chaining::new(), 0);
    while let Some(SessionEvent::Output(piece)) = events.next().await.unwrap() {
        gaps += usize::from(matches!(piece, Piece::Gap { .. }));
        chaining.add(&piece).unwrap();
    }
    assert_eq!((chaining.end(), gaps), (told, 1));
}
