//! A node's life: how it starts, what it leaves, what outlives it.

use crate::fixture::{Fixture, bearer, children, config, eventually, kill_process, lives, marker, parent, soon, tcp};
use capstan_agent_node::{ProbeError, RunnerPath, ServeError, StateError, probe, serve};
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use capstan_proto::wire::node as wire;
use capstan_registry::{EmbeddedRegistry, Registry};
use capstan_types::id::Generation;
use capstan_types::launch::{SessionEnd, SessionLimit};
use capstan_types::node::NodeAddress;
use capstan_types::time::Millis;
use std::sync::Arc;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

async fn refused(config: capstan_agent_node::NodeConfig) -> ServeError {
    serve(config, Arc::new(EmbeddedRegistry::empty())).await.expect_err("it was started")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_registered_while_it_serves_and_says_who_it_is() {
    let node = Fixture::with(|config, dir| config.listen = vec![Listen::Unix(dir.join("n.sock"))]).await;
    let record = node.running.record().clone();
    assert_eq!(node.registry.nodes().await, std::slice::from_ref(&record));
    assert_eq!((record.generation, record.fingerprint.arch.as_str()), (Generation(1), std::env::consts::ARCH));
    assert_eq!(record.address, NodeAddress::Unix(node.dir.path().join("n.sock").display().to_string()));
    let described = soon(node.client().node.describe(wire::DescribeRequest {})).await.unwrap().into_inner();
    assert_eq!(capstan_proto::convert::node::record(described, record.address.clone()), Ok(record));
    node.running.shutdown().await;
    assert_eq!(node.registry.nodes().await, []);
    assert!(!node.dir.path().join("n.sock").exists(), "the socket was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_token_and_turns_before_the_node_stops() {
    let node = Fixture::with(|config, _| {
        config.listen = vec![tcp()];
        config.token = Token::parse(crate::fixture::TOKEN).ok();
    })
    .await;
    let channel = capstan_proto::transport::channel(&node.running.addresses()[0]).unwrap();
    let request = HealthCheckRequest { service: "capstan.node.v1.Exec".into() };
    let mut watch = soon(HealthClient::new(channel).watch(request)).await.unwrap().into_inner();
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status, 1, "it does not serve");
    let mut stopping = tokio::task::JoinSet::new();
    stopping.spawn(node.running.shutdown());
    assert_eq!(soon(watch.message()).await.unwrap().unwrap().status, 2, "it stopped without a word");
    soon(stopping.join_next()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_the_node() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut events = client.start(&node.call(&client, &format!("exec sleep {mark}"))).await.unwrap();
    events.started().await;
    let program = bearer(&mark).await;
    node.running.shutdown().await;
    let end = events.rest().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    assert!(lives(program), "the session died with the node");
    let dirs = std::fs::read_dir(node.dir.path().join("state/sessions")).unwrap().count();
    assert_eq!(dirs, 1);
    let again = serve(node.config.clone(), Arc::new(EmbeddedRegistry::empty())).await.unwrap();
    assert_eq!(again.record().generation, Generation(2));
    assert!(lives(program), "the node's next life ended the session");
    kill_process(program);
    eventually("its holder is gone", async || !lives(program)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_is_attached_to_ends_by_its_ownerless_time() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("exec sleep {mark}"));
    call.limits.ownerless = Millis(300);
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    // Twice its ownerless time with an owner attached.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    assert!(lives(program), "it ended although somebody was attached");
    drop(events);
    eventually("the session is ended", async || !lives(program)).await;
    let ran = client.attach(session, 0).await.unwrap().rest().await.unwrap();
    assert_eq!(ran.end, SessionEnd::Limit(SessionLimit::Ownerless));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_node_answers_no_more_and_its_sessions_run_out() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("exec sleep {mark}"));
    call.limits.ownerless = Millis(300);
    let mut events = client.start(&call).await.unwrap();
    events.started().await;
    let program = bearer(&mark).await;
    drop(node.running);
    assert!(events.rest().await.is_err());
    eventually("the session is ended", async || !lives(program)).await;
    assert_eq!(node.registry.nodes().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_can_take_its_sessions_with_it() {
    let node = Fixture::start().await;
    let (mut programs, mut holders) = (Vec::new(), Vec::new());
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut client = node.client();
        let mark = marker();
        let mut events = client.start(&node.call(&client, &format!("exec sleep {mark}"))).await.unwrap();
        events.started().await;
        programs.push(bearer(&mark).await);
        holders.extend(programs.last().copied().map(parent));
        streams.push(events);
    }
    let mut client = node.client();
    client.run(&node.call(&client, "true")).await.unwrap();
    soon(node.running.stop_sessions("the test")).await.unwrap();
    assert!(!programs.iter().any(|pid| lives(*pid)), "a session lives on");
    assert_eq!(node.session_dirs(), Vec::<std::path::PathBuf>::new());
    assert_eq!(node.client().known().await, 0);
    assert!(children().iter().all(|pid| !holders.contains(pid)), "a holder was left behind");
    for mut events in streams {
        assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "the test".into() });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_has_one_node() {
    let node = Fixture::start().await;
    let error = refused(node.config.clone()).await;
    assert!(matches!(error, ServeError::State(StateError::Used(_))), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_life_left_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let [session, scratch] = ["sessions/dead", "scratch/thread/snapshot"].map(|name| dir.path().join("state").join(name));
    for left in [&session, &scratch] {
        std::fs::create_dir_all(left).unwrap();
        std::fs::write(left.join("head"), "output").unwrap();
    }
    let running = serve(config(dir.path()), Arc::new(EmbeddedRegistry::empty())).await.unwrap();
    eventually("the session's directory is gone", async || !session.exists()).await;
    assert!(!scratch.exists());
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_runner_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = RunnerPath::program("/no/such/runner".into());
    let said = refused(capstan_agent_node::NodeConfig { runner: missing.clone(), ..config(dir.path()) }).await.to_string();
    assert_eq!(
        said,
        "the runner `/no/such/runner` cannot be asked what this host enforces: No such file or directory (os error 2); \
         check that it is there and fits this release"
    );
    let nonsense = RunnerPath { program: "/bin/echo".into(), args: vec!["hello".into()] };
    let error: ProbeError = probe(&nonsense).await.unwrap_err();
    assert!(error.to_string().contains("it gave no fingerprint"), "{error}");
    assert!(probe(&crate::fixture::runner()).await.unwrap().seccomp);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_others_could_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = config(dir.path());
    open.listen = vec![tcp()];
    assert!(refused(open.clone()).await.to_string().contains("needs a token"));
    open.token = Token::parse(crate::fixture::TOKEN).ok();
    open.listen = vec![Listen::Tcp("0.0.0.0:0".parse().unwrap())];
    assert!(refused(open).await.to_string().contains("can be reached from other hosts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_stops_the_second_node() {
    let node = Fixture::start().await;
    let dir = tempfile::tempdir().unwrap();
    let registry: Arc<dyn Registry> = Arc::<EmbeddedRegistry>::clone(&node.registry);
    let error = serve(config(dir.path()), registry).await.expect_err("it was started");
    assert!(error.to_string().contains("give this node another name"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_nobody_looks_gives_its_place_back() {
    let node = Fixture::with(|config, _| config.capacity.sessions = 1).await;
    let client = node.client();
    let leave = async |script: &str| {
        let mut events = client.clone().start(&node.call(&client, script)).await?;
        Ok::<_, tonic::Status>(events.started().await)
    };
    leave("sleep 0.1").await.unwrap();
    for _ in 0..3 {
        eventually("there is a place again", async || leave("sleep 0.1").await.is_ok()).await;
    }
}
