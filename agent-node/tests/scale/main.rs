//! Many sessions at once on one node. Alone in its process, whose threads it counts.
//!
//! `CAPSTAN_SCALE` says how many live at once; 150 unless said. Times and memory are the benchmark's: `session_scale`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../node/fixture.rs"]
#[expect(dead_code, clippy::disallowed_methods, reason = "the other tests use the rest of it")]
mod fixture;

use capstan_types::launch::{Stdio, TermSize};
use capstan_types::load::NodeLoad;
use capstan_types::session::{SessionEvent, StartCall};
use fixture::{Client, Events, Fixture, eventually, exited};
use futures::StreamExt;
use std::time::Instant;

/// How many starts are under way at once: a coordinator has many turns.
const STARTS: usize = 64;

/// Threads that the sessions belong to: the requests of one thread wait in a queue of their own, which has an end.
const OWNERS: usize = 16;

/// Calls in flight.
const FLIGHT: usize = 512;

/// Workers of the runtime here.
const WORKERS: usize = 2;

fn count() -> usize {
    std::env::var("CAPSTAN_SCALE").map_or(150, |text| text.parse().unwrap())
}

async fn load(client: &mut Client) -> NodeLoad {
    let described = client.node.describe(capstan_proto::wire::node::DescribeRequest {}).await.unwrap();
    described.into_inner().load.unwrap().into()
}

async fn ended(events: &mut Events) {
    while !matches!(events.next().await.unwrap(), Some(SessionEvent::Ended { .. })) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_live_at_once_without_a_thread_each_and_all_are_ended() {
    let count = count();
    let node = Fixture::with(|config, _| config.capacity.sessions = 2048).await;
    let mut client = node.client();
    let clients: Vec<_> = (0..OWNERS).map(|_| node.client()).collect();
    let began = Instant::now();
    let starts = futures::stream::iter(0..count).map(|number| {
        let mut client = clients[number % OWNERS].clone();
        let stdio = if number % 2 == 0 { Stdio::Terminal(TermSize::default()) } else { Stdio::PipesNoInput };
        let call = StartCall { stdio, ..node.call(&client, "exec sleep 1000") };
        async move {
            let mut events = client.start(&call).await.unwrap();
            (client, events.started().await, events)
        }
    });
    let mut live: Vec<_> = starts.buffer_unordered(STARTS).collect().await;
    println!("{count} sessions started in {:.2?}", began.elapsed());
    let told = load(&mut client).await;
    assert_eq!((told.running as usize, told.starting, told.kept), (count, 0, 0), "{told:?}");
    eventually("the node has no thread for each session", async || {
        load(&mut client.clone()).await.threads as usize <= 2 * WORKERS + 16
    })
    .await;
    let began = Instant::now();
    let kills = live.iter_mut().map(|(client, session, events)| async move {
        client.kill(*session).await.unwrap();
        ended(events).await;
        client.release(*session).await.unwrap();
    });
    futures::future::join_all(kills).await;
    println!("ended and released in {:.2?}", began.elapsed());
    eventually("nothing is left", async || client.clone().known().await == 0 && node.session_dirs().is_empty()).await;
    node.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_in_a_large_flight_is_refused() {
    let node = Fixture::with(|config, _| config.capacity.sessions = 2048).await;
    let clients: Vec<_> = (0..OWNERS).map(|_| node.client()).collect();
    let flight = FLIGHT.min(count() * 2);
    let calls = futures::stream::iter(0..flight).map(|number| {
        let mut client = clients[number % clients.len()].clone();
        let call = node.call(&client, "exit 6");
        async move {
            let ran = client.run(&call).await.unwrap();
            assert_eq!(ran.end, exited(6));
            client.release(ran.session.unwrap()).await.unwrap();
        }
    });
    calls.buffer_unordered(FLIGHT).for_each(async |()| {}).await;
    eventually("nothing is left", async || node.client().known().await == 0 && node.session_dirs().is_empty()).await;
    assert_eq!(load(&mut node.client()).await.refused, [].into());
    node.running.shutdown().await;
}
