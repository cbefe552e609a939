//! Operators: they see everything, own nothing, and never pass for an owner.

use crate::fixture::{Client, Events, Fixture, TOKEN, eventually, exited, soon, tcp};
use capstan_proto::convert::operate;
use capstan_proto::token::Token;
use capstan_proto::wire::node as wire;
use capstan_types::id::{Epoch, SessionId, ThreadId};
use capstan_types::launch::{SessionEnd, SessionLimit, Stdio};
use capstan_types::operator::{Operator, SessionPlace};
use capstan_types::session::StartCall;
use capstan_types::time::Millis;
use tonic::{Code, Status};

fn ann() -> Option<wire::Operator> {
    Some((&Operator { by: "ann".parse().unwrap(), via: None }).into())
}

fn place(thread: ThreadId, session: SessionId) -> Option<wire::SessionPlace> {
    let place = SessionPlace { thread, session };
    assert_eq!(operate::place(Some(place.into())), Ok(place));
    Some(place.into())
}

async fn look(client: &mut Client, place: Option<wire::SessionPlace>, from_seq: u64) -> Result<Events, Status> {
    let request = wire::LookRequest { operator: ann(), place, from_seq, whole: false };
    Ok(Events::over(soon(client.operate.look(request)).await?.into_inner()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_and_acts_whoever_owns_and_takes_nothing_from_the_owner() {
    let node = Fixture::start().await;
    let mut owner = node.client();
    owner.authority.epoch = Epoch(7);
    let call = node.call(&owner, "echo here; read x; echo got:$x; read y; exit 3");
    let mut events = owner.start(&StartCall { stdio: Stdio::Pipes, ..call }).await.unwrap();
    let session = events.started().await;
    let place = place(owner.authority.thread, session);
    let mut seen = look(&mut owner.clone(), place.clone(), 1).await.unwrap();
    seen.until("ere\n").await;
    let write = wire::OperateWriteRequest { operator: ann(), place: place.clone(), data: "a\n".into(), close: false };
    soon(owner.operate.write(write)).await.unwrap();
    seen.until("got:a\n").await;
    // The owner's epoch is what it was: a lower one is refused, and the same one acts.
    let mut old = owner.clone();
    old.authority.epoch = Epoch(6);
    assert_eq!(old.write(session, b"x\n", false).await.unwrap_err().code(), Code::FailedPrecondition);
    owner.write(session, b"b\n", false).await.unwrap();
    assert_eq!(seen.rest().await.unwrap().end, exited(3));
    assert_eq!(events.rest().await.unwrap().end, exited(3));
    owner.release(session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_look_have_few_places_and_take_none_of_the_owners() {
    let node = Fixture::start().await;
    let mut owner = node.client();
    let call = node.call(&owner, "echo here; read x; echo got:$x; read y");
    let mut events = owner.start(&StartCall { stdio: Stdio::Pipes, ..call }).await.unwrap();
    let session = events.started().await;
    let place = place(owner.authority.thread, session);
    let mut viewers = Vec::new();
    for _ in 0..4 {
        let mut viewer = look(&mut owner.clone(), place.clone(), 0).await.unwrap();
        viewer.until("here\n").await;
        viewers.push(viewer);
    }
    let refused = look(&mut owner.clone(), place.clone(), 0).await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("4 people look at this session already"), "{refused}");
    owner.write(session, b"a\n", false).await.unwrap();
    owner.attach(session, 0).await.unwrap().until("got:a\n").await;
    drop(viewers.pop());
    eventually("the place of one who left is free", async || look(&mut owner.clone(), place.clone(), 0).await.is_ok()).await;
    owner.kill(session).await.unwrap();
    events.rest().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_a_session_does_not_keep_it_from_being_ownerless() {
    let node = Fixture::start().await;
    let mut owner = node.client();
    let mut call = node.call(&owner, "echo here; sleep 1000");
    call.limits.ownerless = Millis(300);
    let mut events = owner.start(&call).await.unwrap();
    let place = place(owner.authority.thread, events.started().await);
    let mut viewer = look(&mut owner.clone(), place, 0).await.unwrap();
    viewer.until("here\n").await;
    drop(events);
    assert_eq!(viewer.rest().await.unwrap().end, SessionEnd::Limit(SessionLimit::Ownerless));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_bears_the_operators_name() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut events = client.start(&node.call(&client, "sleep 1000")).await.unwrap();
    let place = place(client.authority.thread, events.started().await);
    soon(client.operate.kill(wire::OperateKillRequest { operator: ann(), place })).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "ann".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_nothing_and_no_token_are_refused() {
    let node = Fixture::with(|config, _| {
        config.token = Token::parse(TOKEN).ok();
        config.listen = vec![tcp()];
    })
    .await;
    let mut client = node.remote(Some(TOKEN));
    let mut events = client.start(&node.call(&client, "sleep 1000")).await.unwrap();
    let (thread, session) = (client.authority.thread, events.started().await);
    let kill = |operator, place| wire::OperateKillRequest { operator, place };
    let answered =
        async |client: &mut Client, operator, place| soon(client.operate.kill(kill(operator, place))).await.unwrap_err().code();
    assert_eq!(answered(&mut client, None, place(thread, session)).await, Code::InvalidArgument);
    assert_eq!(answered(&mut client, ann(), None).await, Code::InvalidArgument);
    // Neither a session of another thread's, nor a thread that is made by asking.
    assert_eq!(answered(&mut client, ann(), place(ThreadId::from_u128(99), session)).await, Code::NotFound);
    assert_eq!(answered(&mut client, ann(), place(thread, SessionId::from_u128(99))).await, Code::NotFound);
    let mut stranger = node.remote(None);
    assert_eq!(answered(&mut stranger, ann(), place(thread, session)).await, Code::Unauthenticated);
    assert_eq!(
        look(&mut stranger, place(thread, session), 0).await.err().map(|status| status.code()),
        Some(Code::Unauthenticated)
    );
    client.kill(session).await.unwrap();
    events.rest().await.unwrap();
}
