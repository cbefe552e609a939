//! Output that is kept whole, after the deaths of its node and its holder.

use super::mortal::{Mortal, code};
use super::{bearer, eventually, kill_process, lives, marker, parent};
use crate::fixture::{Client, exited};
use capstan_types::id::SessionId;
use capstan_types::limits::ByteCap;
use capstan_types::output::chain::Chaining;
use capstan_types::output::seal::{Seal, Stopped};
use capstan_types::output::verify::{Open, Verdict, Verifier};
use capstan_types::output::{Piece, Seq};
use capstan_types::session::{SessionEvent, StartCall};
use capstan_types::time::Millis;
use std::os::unix::fs::FileExt;

fn all() -> String {
    (1..=60_000).map(|number| format!("{number}\n")).chain(["last\n".to_owned()]).collect()
}

/// A call that writes [`all`], and keeps little of it in head and tail.
fn call(node: &Mortal, client: &Client, then: &str) -> StartCall {
    let mut call = node.call(client, &format!("seq 1 60000; echo last; {then}"));
    call.limits.head = ByteCap::new(1000).unwrap();
    call.limits.tail = ByteCap::new(100_000).unwrap();
    call.limits.keep_all = Some(1 << 30);
    call
}

/// What a reader gets from `from` on, its verdict, and the seal.
async fn read(client: &mut Client, session: SessionId, from: u64, whole: bool) -> (String, Verdict, Option<Seal>) {
    let mut events = match whole {
        true => client.attach_whole(session, from).await.unwrap(),
        false => client.attach(session, from).await.unwrap(),
    };
    let (mut verifier, mut text) = (Verifier::new(Seq(from), u64::MAX), String::new());
    loop {
        match events.next().await.unwrap() {
            Some(SessionEvent::Output(piece)) => {
                verifier.add(&piece);
                match piece {
                    Piece::Bytes { bytes, .. } => text += std::str::from_utf8(&bytes).unwrap(),
                    Piece::Gap { bytes, .. } => text += &format!("[{bytes}]"),
                }
            }
            Some(SessionEvent::Ended { seal, .. }) => {
                return (text, verifier.end(seal.as_deref(), whole), seal.map(|seal| *seal));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_whole_is_read_from_every_byte_after_the_node_and_the_holder_have_gone() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call = call(&node, &client, ": >done");
    call.limits.ownerless = Millis(1500);
    let session = client.start(&call).await.unwrap().started().await;
    node.kill();
    eventually("it has ended", async || node.path("done").exists()).await;
    let dir = node.dir.path().join("state/sessions").join(session.to_string());
    // By its ownerless time the holder goes too, and only its files are left.
    eventually("its holder has gone", async || !dir.join("control.sock").exists()).await;
    node.start_again().await;
    let mut client = node.again(&client);
    let all = all();
    let (text, verdict, seal) = read(&mut client, session, 0, true).await;
    assert!(text == all, "it is not what was written");
    let mut chaining = Chaining::new();
    chaining.add_bytes(all.as_bytes());
    let kept = seal.unwrap().kept.unwrap();
    assert_eq!((kept.bytes, kept.sha256, kept.stopped), (all.len() as u64, chaining.run(), None));
    assert_eq!(verdict, Verdict::Holds { chain: chaining.end() });
    let (text, verdict, _) = read(&mut client, session, 123_456, true).await;
    assert!(text == all[123_456..], "it is not what was written");
    assert_eq!(verdict, Verdict::Open(Open::Later(Seq(123_456))));
    // Who does not ask gets head and tail, and can prove them as well.
    let (text, verdict, _) = read(&mut client, session, 0, false).await;
    assert!(text == format!("{}[{}]{}", &all[..1000], all.len() - 101_000, &all[all.len() - 100_000..]));
    assert!(matches!(verdict, Verdict::Holds { .. }), "{verdict:?}");
    // Somebody changes what lies there.
    let file = std::fs::File::options().write(true).open(dir.join("all")).unwrap();
    file.write_all_at(b"x", 50_000).unwrap();
    let (_, verdict, _) = read(&mut client, session, 0, true).await;
    assert!(matches!(verdict, Verdict::Wrong { .. }), "{verdict:?}");
    std::fs::remove_file(dir.join("all")).unwrap();
    let (_, verdict, _) = read(&mut client, session, 0, true).await;
    assert_eq!(verdict, Verdict::Missing { at: Seq(0), bytes: all.len() as u64 });
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
    assert_eq!(code(client.attach_whole(session, 0).await), tonic::Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_killed_leaves_all_that_it_kept_whole_and_no_seal() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let session = client.start(&call(&node, &client, &format!("exec sleep {mark}"))).await.unwrap().started().await;
    let program = bearer(&mark).await;
    let all = all();
    eventually("all is written", async || node.list().await[0].output_bytes == all.len() as u64).await;
    let holder = parent(program);
    node.kill();
    kill_process(holder);
    node.start_again().await;
    let mut client = node.again(&client);
    let (text, verdict, seal) = read(&mut client, session, 0, true).await;
    assert!(text == all, "it is not what was written");
    assert_eq!((verdict, seal), (Verdict::Open(Open::NoSeal), None));
    if lives(program) {
        kill_process(program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_session_of_a_node_that_was_killed_is_read_whole_by_the_next_life() {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mut call = call(&node, &client, "until [ -e go ]; do sleep 0.02; done; exit 7");
    call.limits.keep_all = Some(200_000);
    let session = client.start(&call).await.unwrap().started().await;
    node.reborn().await;
    let mut client = node.again(&client);
    let (all, mut early) = (all(), client.attach_whole(session, 199_990).await.unwrap());
    assert_eq!(early.until(&all[199_990..200_000]).await, all[199_990..200_000]);
    std::fs::write(node.path("go"), "").unwrap();
    let (text, verdict, seal) = read(&mut client, session, 0, true).await;
    let gap = all.len() - 300_000;
    assert!(text == format!("{}[{gap}]{}", &all[..200_000], &all[all.len() - 100_000..]));
    assert!(matches!(verdict, Verdict::Holds { .. }), "{verdict:?}");
    let kept = seal.unwrap().kept.unwrap();
    assert_eq!((kept.bytes, kept.stopped), (200_000, Some(Stopped::Limit)));
    assert_eq!(early.rest().await.unwrap().end, exited(7));
    client.release(session).await.unwrap();
    eventually("the directory is gone", async || node.session_dirs() == 0).await;
}
