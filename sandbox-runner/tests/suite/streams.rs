//! Standard input.

use crate::session::Launch;
use capstan_types::control::{Report, Request};
use capstan_types::launch::{SessionEnd, Stdio};

#[test]
fn input_arrives_and_its_end_behind_it() {
    let session = Launch::new(&["cat"]).stdio(Stdio::Pipes).start();
    let mut client = session.attach(0);
    client.type_in("one\n");
    assert_eq!(client.until("\n"), "one\n");
    client.type_in("two");
    client.send(&Request::CloseInput);
    let seen = client.read_to_end();
    assert_eq!((seen.text().as_str(), seen.end), ("two", SessionEnd::Exited { code: 0 }));
}

#[test]
fn more_input_than_fits_anywhere_arrives_whole() {
    let session = Launch::shell("read go; exec md5sum").stdio(Stdio::Pipes).start();
    let mut client = session.attach(0);
    let other_end = client.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let mut sender = crate::client::Client::over(other_end);
        sender.type_in("go\n");
        for part in crate::acts::stream(3 << 20).chunks(60_000) {
            sender.send(&Request::Input(bytes::Bytes::copy_from_slice(part)));
        }
        sender.send(&Request::CloseInput);
    });
    let seen = client.read_to_end();
    sender.join().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), crate::acts::stream(3 << 20)).unwrap();
    let expected = Launch::shell(&format!("exec md5sum < {}", file.path().display())).seeing(file.path()).text();
    assert_eq!(seen.text(), expected);
}

#[test]
fn a_program_that_does_not_read_holds_up_its_sender_and_no_one_else() {
    let session = Launch::new(&["sleep", "1000"]).stdio(Stdio::Pipes).start();
    let flood = session.attach(0);
    flood.stream.set_nonblocking(true).unwrap();
    let mut frame = bytes::BytesMut::new();
    Request::Input(vec![7; 60_000].into()).encode(&mut frame);
    // Until nothing more is taken: pipe, queue and socket are full.
    let mut taken = 0_usize;
    let mut stream = &flood.stream;
    let quiet = || std::thread::sleep(std::time::Duration::from_millis(20));
    let mut refused = 0;
    while refused < 10 {
        match std::io::Write::write(&mut stream, &frame[taken % frame.len()..]) {
            Ok(count) => {
                taken += count;
                refused = 0;
            }
            Err(_) => {
                refused += 1;
                quiet();
            }
        }
        assert!(taken < 8 << 20, "input is queued without bound");
    }
    let mut other = session.attach(0);
    other.send(&Request::Kill { by: "test".into() });
    assert_eq!(other.read_to_end().end, SessionEnd::Killed { by: "test".into() });
}

#[test]
fn input_without_a_reader_is_answered() {
    let session = Launch::new(&["sleep", "1000"]).start();
    let mut client = session.attach(0);
    client.type_in("x");
    assert_eq!(client.next(), Some(Report::InputClosed));

    let session = Launch::new(&["cat"]).stdio(Stdio::Pipes).start();
    let mut client = session.attach(0);
    client.send(&Request::CloseInput);
    assert_eq!(client.read_to_end().end, SessionEnd::Exited { code: 0 });
    client.type_in("late");
    assert_eq!(client.next(), Some(Report::InputClosed));
}

#[test]
fn an_empty_input_ends_at_once() {
    assert_eq!(Launch::new(&["cat"]).text(), "");
}
