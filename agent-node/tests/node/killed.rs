//! A node that is killed with -9 and started again.

mod kept;
pub(crate) mod mortal;
mod older;
mod owners;

use crate::fixture::{bearer, eventually, exited, kill_process, lives, marker, parent, soon};
use capstan_proto::wire::node as wire;
use capstan_types::launch::{SessionEnd, SessionLimit, Stdio, TermSize};
use capstan_types::limits::ByteCap;
use capstan_types::output::Piece;
use capstan_types::session::{ListedState, SessionEvent};
use capstan_types::time::Millis;
use mortal::{Mortal, code};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_as_if_nothing_had_been() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call =
        node.call(&client, "trap 'echo usr1; again=1' USR1; echo before; while read line || [ $again ]; do again=; echo got $line; done; echo over; exit 7");
    call.stdio = Stdio::Pipes;
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("before\n").await;
    client.write(session, b"one\n", false).await.unwrap();
    events.until("got one\n").await;
    node.reborn().await;
    assert_eq!(node.described().await.journal(), wire::JournalState::Kept);
    let mut client = node.again(&client);
    let listed = node.list().await;
    assert_eq!((listed.len(), &listed[0].state, listed[0].adopted), (1, &ListedState::Running, true));
    assert_eq!((listed[0].session, listed[0].call, listed[0].output_bytes), (session, call.call, 15));
    let mut events = client.attach(session, 7).await.unwrap();
    assert_eq!(events.until("got one\n").await, "got one\n", "it does not go on at the byte that was asked for");
    client.write(session, b"two\n", false).await.unwrap();
    events.until("got two\n").await;
    let usr1 = wire::SignalRequest { authority: client.who(), session_id: session.to_string(), signal: 10 };
    soon(client.exec.signal(usr1)).await.unwrap();
    client.write(session, b"three\n", true).await.unwrap();
    let ran = events.rest().await.unwrap();
    assert!(ran.output.contains("usr1\n") && ran.output.ends_with("over\n"), "{:?}", ran.output);
    assert_eq!(ran.end, exited(7));
    let mut repeated = client.start(&call).await.unwrap();
    assert_eq!(repeated.started().await, session, "it was started twice");
    assert!(repeated.rest().await.unwrap().output.starts_with("before\ngot one\ngot two\n"));
    client.release(session).await.unwrap();
    assert_eq!(code(client.start(&call).await), Code::AlreadyExists);
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
    node.reborn().await;
    let mut client = node.again(&client);
    assert_eq!(code(client.start(&call).await), Code::AlreadyExists, "a released try was forgotten");
    assert_eq!(node.list().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_resized_and_killed_by_the_next_life() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call =
        node.call(&client, &format!("stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done; : {mark}"));
    call.stdio = Stdio::Terminal(TermSize { rows: 24, cols: 80 });
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    events.until("ready").await;
    let program = bearer(&mark).await;
    node.reborn().await;
    let mut client = node.again(&client);
    let mut events = client.attach(session, 0).await.unwrap();
    events.until("ready").await;
    let size = Some(wire::TermSize { rows: 31, cols: 99 });
    let resize = wire::ResizeRequest { authority: client.who(), session_id: session.to_string(), size };
    soon(client.exec.resize(resize)).await.unwrap();
    events.until("31 99").await;
    client.kill(session).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, SessionEnd::Killed { by: "the test".into() });
    assert!(!lives(program));
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_the_node_was_away_is_told_with_every_byte() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call = node.call(&client, "read x; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; : >done; exit 3");
    call.stdio = Stdio::Pipes;
    call.limits.ownerless = Millis(1500);
    call.limits.head = ByteCap::new(1000).unwrap();
    call.limits.tail = ByteCap::new(2000).unwrap();
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let holder = parent(bearer_of(session, &node).await);
    client.write(session, b"go\n", false).await.unwrap();
    node.kill();
    eventually("it has ended", async || node.path("done").exists()).await;
    // By its ownerless time the holder goes too, and only its files are left.
    eventually("its holder has gone", async || !lives(holder)).await;
    node.start_again().await;
    let mut client = node.again(&client);
    let all: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    let missing = all.len() - 3000;
    let expected = format!("{}[{missing} bytes missing]{}", &all[..1000], &all[all.len() - 2000..]);
    let ran = client.attach(session, 0).await.unwrap().rest().await.unwrap();
    assert_eq!((ran.output, ran.end), (expected, exited(3)));
    let late = client.attach(session, all.len() as u64 - 5).await.unwrap().rest().await.unwrap();
    assert_eq!(late.output, all[all.len() - 5..]);
    assert_eq!(code(client.write(session, b"x", false).await), Code::Aborted);
    client.kill(session).await.expect("a session that has ended may be killed without effect");
    let listed = node.list().await;
    assert_eq!((&listed[0].state, listed[0].output_bytes), (&ListedState::Ended(exited(3)), all.len() as u64));
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
}

/// The program of a session, by the record of its holder's socket: the newest process that works in the workspace.
async fn bearer_of(session: capstan_types::id::SessionId, node: &Mortal) -> u32 {
    let dir = node.dir.path().join("state/sessions").join(session.to_string());
    let dir = dir.canonicalize().unwrap();
    let child_of_holder = || {
        let pids = || std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let holder = pids().find(|pid: &u32| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir))?;
        let workspace = node.workspace.as_path();
        pids().find(|pid: &u32| {
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == workspace) && parent_of(*pid) == Some(holder)
        })
    };
    eventually("the session's program is there", async || child_of_holder().is_some()).await;
    child_of_holder().unwrap()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_killed_meanwhile_leaves_its_output_and_an_unknown_end() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("seq 1 60000; echo last; exec sleep {mark}"));
    call.limits.head = ByteCap::new(1000).unwrap();
    call.limits.tail = ByteCap::new(200_000).unwrap();
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let all: String = (1..=60_000).map(|number| format!("{number}\n")).chain(["last\n".to_owned()]).collect();
    let program = bearer(&mark).await;
    eventually("all is written", async || node.list().await[0].output_bytes == all.len() as u64).await;
    let holder = parent(program);
    node.kill();
    kill_process(holder);
    node.start_again().await;
    let mut client = node.again(&client);
    let mut events = client.attach(session, 0).await.unwrap();
    let (mut at, mut gaps) = (0, 0);
    let end = loop {
        match events.next().await.unwrap() {
            Some(SessionEvent::Output(Piece::Bytes { seq, bytes })) => {
                assert_eq!(seq.0, at as u64);
                assert_eq!(bytes, all.as_bytes()[at..at + bytes.len()], "wrong bytes at {at}");
                at += bytes.len();
            }
            Some(SessionEvent::Output(Piece::Gap { bytes, .. })) => {
                gaps += 1;
                at += usize::try_from(bytes).unwrap();
            }
            Some(SessionEvent::Ended { end, .. }) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((at, gaps), (all.len(), 1));
    assert!(matches!(&end, SessionEnd::Unknown { reason } if reason.contains("holder died")), "{end:?}");
    if lives(program) {
        kill_process(program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ownerless_time_ends_a_session_whose_node_never_returns() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("exec sleep {mark}"));
    call.limits.ownerless = Millis(700);
    let mut events = client.start(&call).await.unwrap();
    let session = events.started().await;
    let program = bearer(&mark).await;
    node.kill();
    eventually("the session is ended", async || !lives(program)).await;
    node.start_again().await;
    let ran = node.again(&client).attach(session, 0).await.unwrap().rest().await.unwrap();
    assert_eq!(ran.end, SessionEnd::Limit(SessionLimit::Ownerless));
}
