//! A holder of an older release, which a newer node finds.
//!
//! It is a process of its own that says what was recorded of a holder of version 1, byte for byte, and so does not change when this
//! workspace does.

use super::mortal::{Mortal, code};
use crate::fixture::{bearer, eventually, exited, kill_process, marker, parent, soon};
use capstan_proto::wire::node as wire;
use capstan_types::id::SessionId;
use capstan_types::launch::Stdio;
use capstan_types::session::ListedState;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio as ProcessStdio};
use std::sync::mpsc;
use std::thread;
use tonic::Code;

/// Names the directory of a session that this test program is to hold.
const BE_A_HOLDER: &str = "CAPSTAN_TEST_BE_A_HOLDER";

/// The version that it is to speak.
const VERSION: &str = "CAPSTAN_TEST_HOLDER_VERSION";

/// A recorded frame: the length goes before the body.
fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

/// The body of the next request, as it came.
fn request(from: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    from.read_exact(&mut body).ok()?;
    Some(body)
}

/// Not a test: what a child of this program does that is a holder of an older release. It has told `old\n`, answers each line that is written
/// to it, is ended by the line `over`, and goes when it is released.
#[test]
fn a_child_of_this_program_is_a_holder() {
    let Some(dir) = std::env::var_os(BE_A_HOLDER).map(PathBuf::from) else { return };
    let version = std::env::var(VERSION).unwrap();
    // So that the test's keeper finds it whatever happens.
    std::env::set_current_dir(&dir).unwrap();
    let listener = UnixListener::bind("control.sock").unwrap();
    let (mut readers, mut told) = (Vec::<UnixStream>::new(), b"old\n".to_vec());
    let (heard, hears) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            hear(connection.unwrap(), &version, heard.clone());
        }
    });
    for (body, mut connection) in hears {
        match &body[..] {
            [3, body @ ..] if body.starts_with(b"{\"attach\":{\"version\":1,\"from\":") => {
                // What a later node wants besides stands behind that, and is not understood.
                if body.starts_with(b"{\"attach\":{\"version\":1,\"from\":0") {
                    connection.write_all(&frame(&[b"\x01\0\0\0\0\0\0\0\0", &told[..]].concat())).unwrap();
                }
                readers.push(connection);
            }
            b"\x02over\n" => {
                let end = format!("{{\"end\":{{\"exited\":{{\"code\":5}}}},\"output_bytes\":{}}}", told.len());
                std::fs::write("head", &told).unwrap();
                std::fs::write("end.json", end).unwrap();
                for reader in &mut readers {
                    // Something that a later release has brought is said in between.
                    let _ = reader.write_all(&frame(b"\x03{\"farewell\":{\"in\":3}}"));
                    let _ = reader.write_all(&frame(b"\x03{\"ended\":{\"exited\":{\"code\":5}}}"));
                }
            }
            b"\x03\"release\"" => std::process::exit(0),
            // Without effect: who has asked for something is told the end.
            b"\x03{\"signal\":0}" => {}
            [2, input @ ..] => {
                let said = [b"got ", input].concat();
                let at = u64::try_from(told.len()).unwrap().to_be_bytes();
                readers.iter_mut().for_each(|reader| drop(reader.write_all(&frame(&[b"\x01", &at[..], &said].concat()))));
                told.extend(said);
            }
            other => panic!("a node of a newer release said {:?}", String::from_utf8_lossy(other)),
        }
    }
}

/// Greets who has connected, and hands on what it says.
fn hear(mut connection: UnixStream, version: &str, heard: mpsc::Sender<(Vec<u8>, UnixStream)>) {
    let hello = format!("\x03{{\"hello\":{{\"version\":{version},\"pid\":1}}}}");
    let _ = connection.write_all(&frame(hello.as_bytes()));
    thread::spawn(move || {
        while let Some(body) = request(&mut connection) {
            let _ = heard.send((body, connection.try_clone().unwrap()));
        }
    });
}

fn spawn(dir: &Path, version: u32) -> Child {
    let name = "killed::older::a_child_of_this_program_is_a_holder";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(BE_A_HOLDER, dir).env(VERSION, version.to_string());
    command.stdin(ProcessStdio::null()).stdout(ProcessStdio::null()).spawn().unwrap()
}

/// A killed node with a session whose holder has been replaced by one that speaks `version`.
async fn held_by(version: u32) -> (Mortal, crate::fixture::Client, SessionId, Child) {
    let mut node = Mortal::start().await;
    let mut client = node.client();
    let mark = marker();
    let mut call = node.call(&client, &format!("exec sleep {mark}"));
    call.stdio = Stdio::Pipes;
    let session = client.start(&call).await.unwrap().started().await;
    let program = bearer(&mark).await;
    let holder = parent(program);
    node.kill();
    kill_process(holder);
    let dir = node.dir.path().join("state/sessions").join(session.to_string());
    std::fs::remove_file(dir.join("control.sock")).unwrap();
    let older = spawn(&dir, version);
    eventually("the older holder serves", async || UnixStream::connect(dir.join("control.sock")).is_ok()).await;
    if crate::fixture::lives(program) {
        kill_process(program);
    }
    node.start_again().await;
    let client = node.again(&client);
    (node, client, session, older)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_of_an_older_release_is_adopted_read_written_to_and_let_go() {
    let (node, mut client, session, mut older) = held_by(1).await;
    assert_eq!(node.list().await.iter().map(|listed| (listed.session, listed.adopted)).collect::<Vec<_>>(), [(session, true)]);
    let mut events = client.attach(session, 0).await.unwrap();
    events.until("old\n").await;
    client.write(session, b"line\n", false).await.unwrap();
    events.until("got line\n").await;
    client.write(session, b"over\n", false).await.unwrap();
    assert_eq!(events.rest().await.unwrap().end, exited(5), "a report that it does not know has confused the node");
    client.release(session).await.unwrap();
    eventually("the older holder has gone", async || {
        std::fs::metadata(node.dir.path().join("state/sessions").join(session.to_string())).is_err()
    })
    .await;
    assert!(older.wait().unwrap().success(), "it was not released in its own words");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_of_a_newer_version_is_left_alone_and_that_is_said() {
    let (node, mut client, session, mut newer) = held_by(2).await;
    let refused = client.attach(session, 0).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(
        refused.message().ends_with("it speaks version 2 of the protocol, and this node speaks 1; update the node"),
        "{refused}"
    );
    let kill = wire::KillRequest { authority: client.who(), session_id: session.to_string(), by: "ann".into() };
    assert_eq!(code(soon(client.exec.kill(kill)).await), Code::Unavailable);
    assert_eq!(newer.try_wait().unwrap(), None, "it was not left alone");
    assert!(matches!(node.list().await[0].state, ListedState::Starting | ListedState::Running));
    newer.kill().unwrap();
    newer.wait().unwrap();
}
