//! Sessions that write without end, and what it costs: memory that stays, counts that are exact, an end that comes at once.
//!
//! Each flood runs for a part of a second; `CAPSTAN_SECONDS` makes it longer.

use crate::client::{Client, wait_until};
use crate::session::{Launch, Session, lives};
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::launch::SessionEnd;
use capstan_types::output::chain::Chaining;
use capstan_types::output::{Piece, Seq};
use std::time::{Duration, Instant};

/// How much a holder may grow, in KiB.
const MOST_GROWTH: u64 = 64 * 1024;
/// How long a cancelled flood may take to be over, on a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Programs that write without end.
const ENDLESS: [(&str, &str); 4] = [
    ("yes", "yes"),
    ("one line", "tr '\\0' x < /dev/zero"),
    ("one byte at a time", "exec dd if=/dev/zero bs=1 status=none"),
    ("noise", "exec cat /dev/urandom"),
];

fn flood_time() -> Duration {
    let seconds = std::env::var("CAPSTAN_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    seconds.map_or(Duration::from_millis(700), Duration::from_secs)
}

fn private_kib(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let of = |line: &str| line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap();
    rollup.lines().filter(|line| line.starts_with("Private_")).map(of).sum()
}

/// Reads for a while. The pieces must follow one another.
fn read_on(client: &mut Client, at: &mut Seq, time: Duration) -> Vec<Duration> {
    let (until, mut waits, mut last) = (Instant::now() + time, Vec::new(), Instant::now());
    while Instant::now() < until {
        let Some(Report::Output(piece)) = client.next() else { panic!("the flood has ended by itself") };
        assert_eq!(piece.seq(), *at, "pieces overlap, or leave a hole");
        *at = piece.end();
        waits.push(last.elapsed());
        last = Instant::now();
    }
    waits
}

/// Ends the session by a connection of its own, as a node does, and reads what is left. How long the end took is returned.
fn cancel(session: &Session, client: &mut Client, at: &mut Seq) -> Duration {
    let begun = Instant::now();
    Client::connect(session.dir()).send(&Request::Kill { by: "the test".to_owned() });
    wait_until("the program's death", || !lives(session.pid));
    let took = begun.elapsed();
    loop {
        match client.next().expect("the end is told") {
            Report::Output(piece) => {
                assert_eq!(piece.seq(), *at);
                *at = piece.end();
            }
            Report::Ended(end) => {
                assert_eq!(end, SessionEnd::Killed { by: "the test".to_owned() });
                return took;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn flood(name: &str, launch: Launch) {
    let session = launch.start();
    let holder = session.holder.process.id();
    let (mut client, mut at) = (session.attach(0), Seq(0));
    // One that listens and never takes anything.
    let mut sluggard = Client::connect_silently(session.dir());
    sluggard.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() });
    read_on(&mut client, &mut at, flood_time() / 4);
    let before = private_kib(holder);
    read_on(&mut client, &mut at, flood_time());
    let after = private_kib(holder);
    let took = cancel(&session, &mut client, &mut at);
    println!("{name}: {} MiB, holder {before} KiB and then {after} KiB, cancelled in {took:?}", at.0 >> 20);
    assert!(after < before + MOST_GROWTH, "the holder of {name} has grown from {before} to {after} KiB");
    assert!(took < AT_ONCE, "{name} took {took:?} to end");
    assert_eq!(session.end_record().output_bytes, at.0, "{name}: pieces and gaps are not all that was written");
}

#[test]
fn a_flood_by_pipe_is_counted_exactly_costs_no_memory_and_ends_at_once() {
    ENDLESS.iter().for_each(|(name, script)| flood(name, Launch::shell(script)));
}

#[test]
fn a_flood_on_a_terminal_is_counted_exactly_costs_no_memory_and_ends_at_once() {
    ENDLESS.iter().for_each(|(name, script)| flood(name, Launch::shell(script).terminal()));
}

#[test]
fn one_endless_escape_sequence_is_output_like_any_other() {
    let script = "printf '\\033]0;'; head -c 10485760 /dev/zero | tr '\\0' ';'; printf '\\007'";
    let seen = Launch::shell(script).caps(1 << 20, 16 << 20).seen();
    assert!(seen.bytes.iter().all(Option::is_some));
    assert_eq!((seen.bytes.len(), seen.bytes.last()), (4 + 10_485_760 + 1, Some(&Some(7))));
}

#[test]
fn what_is_no_text_arrives_as_it_is() {
    let session = Launch::shell("printf '\\000\\377\\303(\\342\\202'; sleep 1000").start();
    let mut client = session.attach(0);
    let mut bytes = Vec::new();
    while bytes.len() < 6 {
        let Some(Report::Output(Piece::Bytes { bytes: more, .. })) = client.next() else { panic!("no output") };
        bytes.extend_from_slice(&more);
    }
    assert_eq!(bytes, b"\0\xff\xc3(\xe2\x82");
}

#[test]
fn a_line_is_seen_when_it_is_written_and_not_when_more_comes() {
    // The program writes the next line only when it has been told that the last one was seen: a delay would add up to seconds.
    let took = || {
        let session =
            Launch::shell("while read line; do echo seen $line; done").stdio(capstan_types::launch::Stdio::Pipes).start();
        let mut client = session.attach(0);
        let begun = Instant::now();
        for number in 0..50 {
            client.type_in(&format!("{number}\n"));
            client.until(&format!("seen {number}\n"));
        }
        begun.elapsed() / 50
    };
    let best = (0..5).map(|_| took()).min().unwrap();
    println!("a line there and one back: {best:?}");
    assert!(best < Duration::from_millis(20), "a line takes {best:?}");
}

#[test]
fn a_character_is_not_cut_where_the_program_cut_it() {
    // One half, and when the reader has had what came before, the other.
    let script = "printf 'a\\342\\202'; read go; printf '\\254b'; read go";
    let split = || {
        let session = Launch::shell(script).stdio(capstan_types::launch::Stdio::Pipes).start();
        let mut client = session.attach(0);
        let first = client.until("a");
        client.type_in("go\n");
        let rest = client.until("b");
        (first, rest)
    };
    // `until` reads each piece as text. A machine that is too busy to bring the half within its time gets the bytes as they are.
    assert_eq!((0..5).find_map(|_| std::panic::catch_unwind(split).ok()), Some(("a".to_owned(), "€b".to_owned())));
}

#[test]
fn long_text_is_cut_between_characters() {
    let script = "i=0; while [ $i -lt 4000 ]; do printf '€äa€€𝄞€ß€€€€€€ü€€€€€€€'; i=$((i+1)); done";
    let session = Launch::shell(script).start();
    let (mut client, mut count, mut cut) = (session.attach(0), 0, 0);
    while let Some(Report::Output(Piece::Bytes { bytes, .. })) = client.next() {
        count += bytes.len();
        cut += usize::from(std::str::from_utf8(&bytes).is_err());
    }
    assert_eq!(count, 4000 * "€äa€€𝄞€ß€€€€€€ü€€€€€€€".len());
    // None, but for halves that the program took longer over than they are held back.
    assert!(cut <= 2, "{cut} characters were cut");
}

#[test]
fn whoever_has_read_what_is_kept_can_prove_that_nothing_is_missing() {
    for (script, caps) in
        [("", (10, 10)), ("printf short", (10, 10)), ("seq 1 20000", (5_000, 70_000)), ("seq 1 20000", (1 << 20, 1))]
    {
        let session = Launch::shell(script).caps(caps.0, caps.1).start();
        let chain = session.end_record().chain.expect("the holder leaves a chain");
        let (mut client, mut chaining, mut changed) = (session.attach(0), Chaining::new(), Chaining::new());
        while let Some(Report::Output(piece)) = client.next() {
            chaining.add(&piece).unwrap();
            match piece {
                Piece::Bytes { bytes, .. } => changed.add_bytes(&bytes.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()),
                Piece::Gap { bytes, .. } => changed.add_gap(bytes),
            }
        }
        assert_eq!(chaining.end(), chain, "{script}");
        assert_eq!(changed.end() == chain, script.is_empty(), "{script}");
    }
}

#[test]
fn a_reader_that_keeps_up_on_the_whole_loses_nothing() {
    // Each burst is more than is kept, and none is more than a reader takes until the next.
    const BURSTS: u64 = 12;
    let script = format!("for i in $(seq {BURSTS}); do head -c 2097152 /dev/zero; sleep 0.1; done");
    let run = || {
        let session = Launch::shell(&script).caps(1000, 400_000).start();
        let (mut client, mut all, mut dropped) = (session.attach(0), 0, 0);
        while let Some(Report::Output(piece)) = client.next() {
            all = piece.end().0;
            dropped += if let Piece::Gap { bytes, .. } = piece { bytes } else { 0 };
        }
        assert_eq!(all, BURSTS << 21);
        println!("{dropped} bytes of {all} dropped");
        dropped
    };
    // One of several, as this machine may be busy.
    assert!((0..5).any(|_| run() == 0), "bytes were dropped");
}

#[test]
fn a_reader_that_takes_nothing_costs_a_flood_next_to_nothing() {
    let took = |sluggards: usize| {
        let session =
            Launch::shell("read go; exec head -c 67108864 /dev/zero").stdio(capstan_types::launch::Stdio::Pipes).start();
        let readers: Vec<_> = (0..sluggards)
            .map(|_| {
                let mut reader = Client::connect_silently(session.dir());
                reader.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() });
                reader
            })
            .collect();
        let begun = Instant::now();
        Client::connect(session.dir()).type_in("go\n");
        session.end_record();
        drop(readers);
        begun.elapsed()
    };
    let (alone, watched) = ((0..3).map(|_| took(0)).min().unwrap(), (0..3).map(|_| took(5)).min().unwrap());
    println!("64 MiB that nobody reads: {alone:?}, beside five readers that take nothing: {watched:?}");
    assert!(watched < alone * 2 + Duration::from_millis(250), "{watched:?} instead of {alone:?}");
}
