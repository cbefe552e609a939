//! What many sessions leave behind: nothing. Alone in its process, because it counts what the process has.
//!
//! `CAPSTAN_LEAKS` says how many sessions of the mix are run; 150 unless said.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../node/fixture.rs"]
#[expect(dead_code, clippy::disallowed_methods, reason = "the other tests use the rest of it")]
mod fixture;
mod mix;
mod traces;

use fixture::{Fixture, children, eventually, exited};
use futures::StreamExt;
use std::time::Instant;
use traces::{Traces, descriptors};

/// Held by each test: they count what the process has.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// How many sessions of the mix are under way at once.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_leave_no_descriptor_no_child_and_no_directory() {
    const AT_ONCE: usize = 8;
    let _alone = ALONE.lock().await;
    let node = Fixture::start().await;
    let mut client = node.client();
    let first = client.run(&node.call(&client, "true")).await.unwrap();
    client.release(first.session.unwrap()).await.unwrap();
    eventually("the first session is gone", async || node.session_dirs().is_empty() && children().len() == 2).await;
    // Two children remain: the runner's server, and the one that looks through directories.
    let before = descriptors();
    for _ in 0..200 / AT_ONCE {
        let sessions = (0..AT_ONCE).map(|number| {
            let (mut client, call) = (client.clone(), node.call(&client, &format!("echo {number}; exit {number}")));
            async move {
                let ran = client.run(&call).await.unwrap();
                assert_eq!(ran.output, format!("{number}\n"));
                assert_eq!(ran.end, exited(i32::try_from(number).unwrap()));
                client.release(ran.session.unwrap()).await.unwrap();
            }
        });
        futures::future::join_all(sessions).await;
    }
    let nothing = async || node.session_dirs().is_empty() && children().len() == 2 && descriptors() <= before;
    eventually("nothing is left", nothing).await;
    assert_eq!(client.known().await, 0);
    node.running.shutdown().await;
    assert_eq!(children(), Vec::<u32>::new(), "the runner's server was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn fork_bombs_daemons_zombies_stopped_children_and_killed_holders_leave_nothing() {
    let _alone = ALONE.lock().await;
    let count: usize = std::env::var("CAPSTAN_LEAKS").map_or(150, |text| text.parse().unwrap());
    let traces = Traces::new();
    let node = Fixture::with(|config, _| {
        config.capacity.sessions = 64;
        config.base_env.extend(traces.variable());
    })
    .await;
    let client = node.client();
    // Each kind once, so that what is made once is there.
    one_of_each(&node).await;
    eventually("the first sessions are gone", async || node.session_dirs().is_empty() && children().len() == 2).await;
    let (before, tasks, began) = (descriptors(), tasks(), Instant::now());
    let sessions = futures::stream::iter(0..count).map(|number| mix::one(&node, client.clone(), number));
    sessions.buffer_unordered(AT_ONCE).for_each(async |()| {}).await;
    let gone = async || node.session_dirs().is_empty() && children().len() == 2 && traces.left(node.dir.path()).is_empty();
    eventually("all sessions are gone", gone).await;
    eventually("their descriptors are closed", async || descriptors() <= before).await;
    eventually("their tasks are over", async || crate::tasks() <= tasks + 2).await;
    assert_eq!(node.client().known().await, 0);
    println!("{count} sessions in {:.1?}; descriptors {before} before and {} after", began.elapsed(), descriptors());
    let dir = node.dir.path().to_owned();
    node.running.shutdown().await;
    assert_eq!(children(), Vec::<u32>::new(), "the runner's server was left behind");
    eventually("the node has left nothing", async || traces.left(&dir).is_empty()).await;
}

async fn one_of_each(node: &Fixture) {
    let client = node.client();
    for number in 0..mix::KINDS {
        mix::one(node, client.clone(), number).await;
    }
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
