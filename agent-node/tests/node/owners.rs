//! Who may ask, and what is done once.

use crate::fixture::{Client, Fixture, TOKEN, soon, tcp};
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use capstan_proto::wire::node as wire;
use capstan_types::id::{Attempt, Epoch, ThreadId};
use std::path::PathBuf;
use tonic::Code;

fn lines(path: PathBuf) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_token_enters() {
    for listen in [tcp(), Listen::Unix(PathBuf::new())] {
        let node = Fixture::with(|config, dir| {
            config.token = Token::parse(TOKEN).ok();
            config.listen = vec![match listen {
                Listen::Tcp(_) | Listen::Tls(_) => listen,
                Listen::Unix(_) => Listen::Unix(dir.join("n.sock")),
            }];
        })
        .await;
        for (token, code) in [(None, Code::Unauthenticated), (Some("0123456789abcdef-wrong"), Code::Unauthenticated)] {
            let mut client = node.remote(token);
            let call = node.call(&client, "echo done >>effect");
            assert_eq!(client.start(&call).await.err().map(|status| status.code()), Some(code));
            let open = wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() };
            assert_eq!(soon(client.workspace.open(open)).await.unwrap_err().code(), code);
            assert_eq!(soon(client.node.describe(wire::DescribeRequest {})).await.unwrap_err().code(), code);
        }
        assert_eq!(lines(node.path("effect")), 0);
        let mut client = node.remote(Some(TOKEN));
        client.run(&node.call(&client, "echo done >>effect")).await.unwrap();
        assert_eq!(lines(node.path("effect")), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_has_lost_the_thread_is_refused_everything() {
    let node = Fixture::start().await;
    let mut old = node.client();
    let mut events = old.start(&node.call(&old, "echo here; sleep 1000")).await.unwrap();
    let session = events.started().await;
    let mut new = old.clone();
    new.authority.epoch = Epoch(2);
    let open = wire::OpenRequest { authority: new.who(), cwd: node.workspace.to_string() };
    soon(new.workspace.open(open.clone())).await.unwrap();
    let stale = Some(Code::FailedPrecondition);
    assert_eq!(old.start(&node.call(&old, "echo done >>effect")).await.err().map(|status| status.code()), stale);
    assert_eq!(old.attach(session, 0).await.err().map(|status| status.code()), stale);
    assert_eq!(old.write(session, b"x", false).await.err().map(|status| status.code()), stale);
    assert_eq!(old.kill(session).await.err().map(|status| status.code()), stale);
    assert_eq!(old.release(session).await.err().map(|status| status.code()), stale);
    let open = wire::OpenRequest { authority: old.who(), ..open };
    assert_eq!(soon(old.workspace.open(open)).await.err().map(|status| status.code()), stale);
    new.kill(session).await.expect("the new owner has the sessions of the old one");
    events.rest().await.unwrap();
    assert_eq!(lines(node.path("effect")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_start_attaches_and_runs_once() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "echo done >>effect; printf 0123456789");
    let first = client.run(&call).await.unwrap();
    call.from = capstan_types::output::Seq(7);
    let again = client.run(&call).await.unwrap();
    assert_eq!((again.session, again.output.as_str(), &again.end), (first.session, "789", &first.end));
    assert_eq!(lines(node.path("effect")), 1);
    call.attempt = Attempt(2);
    assert_ne!(client.run(&call).await.unwrap().session, first.session, "another attempt is another session");
    assert_eq!(lines(node.path("effect")), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_of_one_call_at_the_same_time_run_once() {
    let node = Fixture::start().await;
    let client = node.client();
    let call = node.call(&client, "echo done >>effect");
    let runs = (0..10).map(|_| {
        let (mut client, call) = (client.clone(), call.clone());
        async move { client.run(&call).await.unwrap().session }
    });
    let sessions = futures::future::join_all(runs).await;
    assert!(sessions.iter().all(|session| *session == sessions[0]));
    assert_eq!(lines(node.path("effect")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_repeated_after_its_release_is_refused_and_not_run_again() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let call = node.call(&client, "echo done >>effect");
    let ran = client.run(&call).await.unwrap();
    client.release(ran.session.unwrap()).await.unwrap();
    // The release is answered before it is done, so until then the repeated start finds the session.
    let code = loop {
        match client.start(&call).await {
            Ok(_) => {}
            Err(status) => break status.code(),
        }
    };
    assert_eq!(code, Code::AlreadyExists);
    assert_eq!(lines(node.path("effect")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_by_its_own_thread_only() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut events = client.start(&node.call(&client, "sleep 1000")).await.unwrap();
    let session = events.started().await;
    let mut other: Client = client.clone();
    other.authority.thread = ThreadId::generate();
    assert_eq!(other.attach(session, 0).await.err().map(|status| status.code()), Some(Code::NotFound));
    assert_eq!(other.kill(session).await.unwrap_err().code(), Code::NotFound);
    other.release(session).await.expect("releasing an unknown session is no error");
    client.kill(session).await.unwrap();
    events.rest().await.unwrap();
}
