//! What a session writes, and what its readers see of it.

use crate::acts::{playing, stream};
use crate::client::{Client, Seen};
use crate::session::Launch;
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::launch::SessionEnd;
use capstan_types::output::{Piece, Seq};

const LENGTH: usize = 5 << 20;

/// Where the stream begins in what was seen: behind the mark that the act sets.
fn start_of_stream(seen: &Seen) -> usize {
    let head: Vec<u8> = seen.bytes.iter().take(4096).map_while(|byte| *byte).collect();
    head.windows(4).position(|part| part == b"====").expect("no mark") + 4
}

fn check_stream(seen: &Seen) {
    let start = start_of_stream(seen);
    for (at, (seen, written)) in seen.bytes[start..].iter().zip(stream(LENGTH)).enumerate() {
        assert!(seen.is_none_or(|byte| byte == written), "a wrong byte at {at}");
    }
}

#[test]
fn output_and_errors_are_read_in_the_order_they_were_written() {
    let text = Launch::shell("for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done").text();
    let expected: String = (1..10).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(text, expected);
}

#[test]
fn of_a_long_output_the_head_and_the_tail_are_exact_and_the_middle_is_counted() {
    let (head, tail) = (70_000, 50_000);
    let session = playing(&format!("stream {LENGTH}")).caps(head, tail).start();
    let total = session.end_record().output_bytes;
    assert!(total > LENGTH as u64);
    let mut client = session.attach(0);
    let mut pieces = Vec::new();
    let seen = loop {
        match client.next().unwrap() {
            Report::Output(piece) => pieces.push(piece),
            Report::Ended(end) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(seen, SessionEnd::Exited { code: 0 });
    let gaps: Vec<_> = pieces.iter().filter(|piece| matches!(piece, Piece::Gap { .. })).collect();
    assert_eq!(gaps, [&Piece::Gap { seq: Seq(head), bytes: total - head - tail }]);
    assert_eq!(pieces.last().unwrap().end(), Seq(total));
    let all = session.attach(0).read_to_end();
    assert_eq!(all.bytes.len() as u64, total);
    check_stream(&all);
}

#[test]
fn a_reader_that_stays_sees_every_byte_once_and_in_order() {
    let seen = playing(&format!("stream {LENGTH}")).caps(1 << 20, 8 << 20).seen();
    assert!(seen.bytes.iter().all(Option::is_some), "bytes were dropped though they fit");
    assert!(seen.bytes.len() > LENGTH);
    check_stream(&seen);
}

#[test]
fn a_reader_comes_back_at_the_byte_where_it_left() {
    let session = playing(&format!("stream {LENGTH}")).caps(1 << 20, 8 << 20).start();
    let mut bytes = Vec::new();
    let end = loop {
        let mut client = session.attach(bytes.len() as u64);
        // A few pieces from each connection, cut in the middle of whatever comes next.
        let mut end = None;
        for _ in 0..7 {
            match client.next().unwrap() {
                Report::Output(Piece::Bytes { seq, bytes: more }) => {
                    assert_eq!(seq, Seq(bytes.len() as u64));
                    bytes.extend(more.iter().copied().map(Some));
                }
                Report::Ended(told) => end = Some(told),
                other => panic!("{other:?}"),
            }
            if end.is_some() {
                break;
            }
        }
        if let Some(end) = end {
            break end;
        }
    };
    let seen = Seen { bytes, end };
    assert_eq!(seen.bytes.len() as u64, session.end_record().output_bytes);
    check_stream(&seen);
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up() {
    let session = playing(&format!("stream {LENGTH}")).caps(1000, 1000).start();
    let mut sluggard = Client::connect_silently(session.dir());
    sluggard.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() });
    assert_eq!(session.end_record().end, SessionEnd::Exited { code: 0 });
    assert_eq!(session.attach(0).read_to_end().end, SessionEnd::Exited { code: 0 });
    // And it is told all the same, when it cares to listen.
    assert!(matches!(sluggard.next(), Some(Report::Hello { .. })));
    assert_eq!(sluggard.read_to_end().end, SessionEnd::Exited { code: 0 });
}

#[test]
fn readers_do_not_take_bytes_from_each_other() {
    let session = Launch::shell("echo one; sleep 1000").start();
    let mut first = session.attach(0);
    let mut second = session.attach(2);
    assert_eq!(first.until("\n"), "one\n");
    assert_eq!(second.until("\n"), "e\n");
}

#[test]
fn a_background_child_that_keeps_the_output_open_holds_up_no_end() {
    let marker = crate::session::marker();
    let begun = std::time::Instant::now();
    let session = Launch::shell(&format!("sleep {marker} & (setsid sleep {marker} &) ; echo done")).start();
    let seen = session.attach(0).read_to_end();
    assert_eq!((seen.text().as_str(), &seen.end), ("done\n", &SessionEnd::Exited { code: 0 }));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(crate::session::running(&marker), 0, "it was left behind");
}

#[test]
fn what_a_background_child_writes_right_after_the_end_is_still_seen() {
    // The child writes as soon as the shell is gone. That is well within the time it is given, unless this machine is very busy.
    let seen = || Launch::shell("(while kill -0 $$ 2>/dev/null; do :; done; echo late) & echo early").seen();
    assert!((0..5).any(|_| seen().text() == "early\nlate\n"));
}

#[test]
fn nothing_is_waited_for_when_the_output_has_come_to_its_end() {
    let took = || {
        let begun = std::time::Instant::now();
        assert_eq!(Launch::new(&["true"]).seen().end, SessionEnd::Exited { code: 0 });
        begun.elapsed()
    };
    // Less than the rest of an output is waited for. One of several, as this machine may be busy.
    assert!((0..30).any(|_| took() < std::time::Duration::from_millis(90)));
}
