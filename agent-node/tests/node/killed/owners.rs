//! What the next life knows of owners and tries, and how it serves while it looks.

use super::mortal::{Mortal, code, signal};
use crate::fixture::{Client, bearer, eventually, lives, marked, marker, parent, soon};
use capstan_proto::wire::node as wire;
use capstan_types::id::{CallId, Epoch};
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::ListedState;
use capstan_types::time::Millis;
use std::time::{Duration, Instant};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_lost_the_thread_is_refused_by_the_next_life_too() {
    let mut node = Mortal::start().await;
    let mut old = node.client();
    let mut new = old.clone();
    new.authority.epoch = Epoch(5);
    let open = |client: &Client| wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() };
    let requests = (open(&old), open(&new));
    soon(old.workspace.open(requests.0.clone())).await.unwrap();
    soon(new.workspace.open(requests.1.clone())).await.unwrap();
    node.reborn().await;
    let (mut old, mut new) = (node.again(&old), node.again(&new));
    assert_eq!(code(soon(old.workspace.open(requests.0)).await), Code::FailedPrecondition);
    soon(new.workspace.open(requests.1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_its_journal_says_so_and_ends_what_it_cannot_prove() {
    let mut node = Mortal::start().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::New);
    let mut client = node.client();
    let mark = marker();
    let call = node.call(&client, &format!("exec sleep {mark}"));
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    node.kill();
    std::fs::remove_file(node.dir.path().join("state/journal")).unwrap();
    node.start_again().await;
    let described = node.described().await;
    assert_eq!((described.journal(), described.generation), (wire::JournalState::Lost, 2));
    eventually("the session is ended", async || !lives(program) && node.session_dirs() == 0).await;
    let mut client = node.again(&client);
    assert_eq!(code(client.attach(session, 0).await), Code::NotFound);
    node.reborn().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::Kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_keeps_nobody_else_waiting() {
    let mut node = Mortal::start().await;
    let (mut stuck, mut other) = (node.client(), node.client());
    let marks = [marker(), marker()];
    let calls = [
        node.call(&stuck, &format!("echo a; exec sleep {}", marks[0])),
        node.call(&other, &format!("echo b; exec sleep {}", marks[1])),
    ];
    let sessions = [stuck.start(&calls[0]).await.unwrap().started().await, other.start(&calls[1]).await.unwrap().started().await];
    let holder = parent(bearer(&marks[0]).await);
    bearer(&marks[1]).await;
    node.kill();
    signal("-STOP", holder);
    let begun = Instant::now();
    node.start_again().await;
    let (mut stuck, mut other) = (node.again(&stuck), node.again(&other));
    other.attach(sessions[1], 0).await.unwrap().until("b\n").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "a stopped holder stopped the node: {:?}", begun.elapsed());
    let mut waiting = tokio::task::JoinSet::new();
    waiting.spawn(async move { stuck.attach(sessions[0], 0).await.unwrap().until("a\n").await });
    assert!(tokio::time::timeout(Duration::from_millis(500), waiting.join_next()).await.is_err(), "it was answered too early");
    signal("-CONT", holder);
    assert_eq!(soon(waiting.join_next()).await.unwrap().unwrap(), "a\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sessions_are_adopted_in_good_time() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut sessions = Vec::new();
    for number in 0..200 {
        let call = node.call(&client, &format!("echo {number}; exec sleep 1000"));
        sessions.push(client.start(&call).await.unwrap().started().await);
    }
    node.kill();
    let begun = Instant::now();
    node.start_again().await;
    let mut client = node.again(&client);
    for (number, session) in sessions.iter().enumerate() {
        client.attach(*session, 0).await.unwrap().until(&format!("{number}\n")).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    assert_eq!(node.list().await.len(), 200);
    for session in &sessions {
        client.kill(*session).await.unwrap();
    }
    eventually("all have ended", async || node.list().await.iter().all(|listed| matches!(listed.state, ListedState::Ended(_))))
        .await;
}

/// Whenever the node is killed during a start: a repeated start runs the program never a second time, and what it says of the first is true.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_cut_off_anywhere_is_told_truthfully() {
    let mut node = Mortal::start().await;
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..30_u64 {
        let mut client = node.client();
        let effect = format!("effect-{round}");
        let mut call = node.call(&client, &format!("echo x >>{effect}; echo done; sleep 0.05; exit 4"));
        call.limits.ownerless = Millis(5000);
        soon(client.workspace.open(wire::OpenRequest { authority: client.who(), cwd: node.workspace.to_string() }))
            .await
            .unwrap();
        let mut starting = tokio::task::JoinSet::new();
        let (mut starter, started) = (client.clone(), call.clone());
        starting.spawn(async move { starter.start(&started).await.is_ok() });
        tokio::time::sleep(Duration::from_micros(round * 700)).await;
        node.reborn().await;
        drop(starting);
        let mut client = node.again(&client);
        let outcome = loop {
            match client.start(&call).await {
                Ok(mut events) => break format!("{:?}", events.rest().await.unwrap().end),
                Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(status) => break format!("{:?}", status.code()),
            }
        };
        let effects = std::fs::read_to_string(node.path(&effect)).map_or(0, |text| text.lines().count());
        assert!(effects <= 1, "round {round}: it was run {effects} times, and then: {outcome}");
        if outcome.starts_with("Exited") {
            assert_eq!((effects, outcome.as_str()), (1, "Exited { code: 4 }"), "round {round}");
        } else {
            assert!(
                outcome == "Unknown" || outcome.contains("nobody took its answer") || outcome.contains("Unknown {"),
                "round {round}: {outcome}"
            );
        }
        *seen.entry(outcome).or_default() += 1;
    }
    assert!(seen.contains_key("Exited { code: 4 }"), "{seen:?}");
    eventually("no program is left", async || marked("effect-").is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_not_applied_again_by_the_next_life() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let policy = SandboxPolicy::workspace_write(vec![node.workspace.clone()]);
    let request = wire::ApplyPatchRequest {
        authority: client.who(),
        call_id: CallId::generate().to_string(),
        attempt: 1,
        patch: "*** Begin Patch\n*** Add File: a.txt\n+text\n*** End Patch\n".into(),
        cwd: node.workspace.to_string(),
        policy: Some((&policy).into()),
    };
    soon(client.workspace.apply_patch(request.clone())).await.unwrap();
    std::fs::remove_file(node.path("a.txt")).unwrap();
    node.reborn().await;
    let mut client = node.again(&client);
    assert_eq!(code(soon(client.workspace.apply_patch(request)).await), Code::Unknown);
    assert!(!node.path("a.txt").exists(), "it was applied again");
}
