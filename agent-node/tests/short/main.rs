//! What a node does when its process is short of descriptors. Alone in its process, whose limit it changes.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../node/fixture.rs"]
#[expect(dead_code, clippy::disallowed_methods, reason = "the other tests use the rest of it")]
mod fixture;

use capstan_types::launch::Stdio;
use capstan_types::load::{NodeLoad, Resource};
use capstan_types::session::StartCall;
use fixture::{Client, Fixture, eventually, exited};
use rustix::process::{Resource as Limit, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use tonic::Code;

/// The limit of this process here.
const LIMIT: u64 = 400;

/// What the node keeps: a quarter at most, and half as much again before it goes on.
const KEPT: u64 = LIMIT / 4;

async fn load(client: &mut Client) -> NodeLoad {
    let described = client.node.describe(capstan_proto::wire::node::DescribeRequest {}).await.unwrap();
    described.into_inner().load.unwrap().into()
}

fn few_free() -> Vec<File> {
    let mut taken = Vec::new();
    let free = || LIMIT - std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    while free() > KEPT - 20 {
        taken.push(File::open("/dev/null").unwrap());
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_short_of_descriptors_refuses_starts_leaves_sessions_alone_and_goes_on_when_there_are_more() {
    setrlimit(Limit::Nofile, Rlimit { current: Some(LIMIT), ..getrlimit(Limit::Nofile) }).unwrap();
    let node = Fixture::with(|config, _| config.capacity.sessions = 4).await;
    let mut client = node.client();
    let call = StartCall { stdio: Stdio::Pipes, ..node.call(&client, "read line; exit 7") };
    let mut running = client.start(&call).await.unwrap();
    let session = running.started().await;
    let taken = few_free();
    let refused = async || match client.clone().run(&node.call(&client, "true")).await {
        Ok(ran) => client.clone().release(ran.session.unwrap()).await.is_err(),
        Err(status) => {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
            assert!(status.message().starts_with("this node is short of descriptors: "), "{status}");
            let wait: u64 = status.metadata().get("retry-after-ms").unwrap().to_str().unwrap().parse().unwrap();
            assert!((500..=12_000).contains(&wait), "{wait}");
            true
        }
    };
    eventually("a start is refused", refused).await;
    let told = load(&mut client).await;
    assert_eq!((told.running, told.starting), (1, 0), "{told:?}");
    assert_eq!(told.short, [Resource::Descriptors]);
    assert!(told.refused[&Resource::Descriptors] >= 1 && told.threads > 0 && told.tasks > 0, "{told:?}");
    client.write(session, b"on\n", true).await.unwrap();
    assert_eq!(running.rest().await.unwrap().end, exited(7));
    drop(taken);
    let starts = async || {
        let mut client = node.client();
        client.run(&node.call(&client, "exit 5")).await.is_ok_and(|ran| ran.end == exited(5))
    };
    eventually("starts go on", starts).await;
    assert_eq!(load(&mut client).await.short, []);
}
