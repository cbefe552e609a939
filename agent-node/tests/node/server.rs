//! The runner's fork server, as the node keeps it: what its death does, and what goes on without it.

use crate::fixture::{Fixture, bearer, children, eventually, exited, kill_process, lives, marker, parent, runner};
use capstan_agent_node::RunnerPath;

/// The node's server, dead or alive: its one child for long, but for the one that looks through directories.
async fn server() -> u32 {
    let looks =
        |pid: &u32| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(4).any(|word| word == b"scan"));
    let others = || children().into_iter().filter(|pid| !looks(pid)).collect::<Vec<_>>();
    eventually("the node has one such child", async || others().len() == 1).await;
    others()[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_death_ends_no_session_and_the_next_call_starts_another() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut events = client.start(&node.call(&client, &format!(": {mark}; sleep 1; echo done"))).await.unwrap();
    events.started().await;
    let program = bearer(&mark).await;
    let first = server().await;
    kill_process(first);
    eventually("the server is gone", async || !lives(first)).await;
    for number in 0..3 {
        let mut another = node.client();
        let ran = another.run(&node.call(&another, &format!("exit {number}"))).await.unwrap();
        assert_eq!(ran.end, exited(number));
    }
    assert_ne!(server().await, first);
    assert_ne!(parent(program), server().await, "the session's holder was not orphaned");
    assert_eq!(events.rest().await.unwrap().end, exited(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_again_and_again_costs_no_call() {
    let node = Fixture::start().await;
    for number in 0..20 {
        kill_process(server().await);
        let mut client = node.client();
        let ran = client.run(&node.call(&client, &format!("exit {number}"))).await.unwrap();
        assert_eq!(ran.end, exited(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_cannot_serve_is_started_for_each_session() {
    let node = Fixture::with(|config, _| {
        let script = format!("case $0 in serve) exit 2;; esac; exec {} \"$0\" \"$@\"", runner().program.display());
        config.runner = RunnerPath { program: "/bin/sh".into(), args: vec!["-c".into(), script] };
    })
    .await;
    let mut client = node.client();
    let ran = client.run(&node.call(&client, "echo fine")).await.unwrap();
    assert_eq!((ran.output.as_str(), ran.end), ("fine\n", exited(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_prepared_holders_serves_as_well() {
    let node = Fixture::with(|config, _| config.prepared = 0).await;
    let mut client = node.client();
    assert_eq!(client.run(&node.call(&client, "echo fine")).await.unwrap().output, "fine\n");
    assert!(!node.dir.path().join("state/launch.sock").exists(), "the socket has a name");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_goes_with_the_node_and_the_session_stays() {
    for dropped in [false, true] {
        let node = Fixture::start().await;
        let mut client = node.client();
        let mark = marker();
        let mut events = client.start(&node.call(&client, &format!("exec sleep {mark}"))).await.unwrap();
        events.started().await;
        let program = bearer(&mark).await;
        let (server, holder) = (server().await, parent(program));
        if dropped {
            drop((events, client));
            drop(node.running);
        } else {
            node.running.shutdown().await;
            assert!(!lives(server), "the server outlives the node's shutdown");
        }
        eventually("the server is gone", async || !lives(server)).await;
        assert!(lives(program) && lives(holder), "the session went with the server");
        kill_process(program);
        eventually("its holder is gone", async || !lives(program)).await;
    }
}
