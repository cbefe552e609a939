//! One key, typed and seen.

use crate::far::Far;
use crate::terminal::terminal;
use capstan_tests::process::command;
use capstan_tools::host::{ExecHost, Input};
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::output::Piece;
use capstan_types::session::SessionEvent;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// Keys typed, and the rest before each.
const KEYS: usize = 300;
const REST: Duration = Duration::from_millis(5);

/// Tells what a key takes to be echoed, here and there.
pub(crate) async fn tell(far: &Far) {
    let here = tokio::task::spawn_blocking(typed_here).await.expect("the terminal works");
    let there = typed_there(far).await;
    println!("\n{KEYS} keys typed into `cat` on a terminal, one at a time; milliseconds until the echo is seen\n");
    println!("| way | median | p99 | more than here |\n|---|---|---|---|");
    let base = quantile(&here, 0.5);
    for (name, took) in [("here", &here), ("whole path", &there)] {
        let (median, p99) = (quantile(took, 0.5), quantile(took, 0.99));
        println!("| {name} | {median:.3} | {p99:.3} | {:.3} |", median - base);
    }
}

fn typed_here() -> Vec<Duration> {
    let (mut master, slave) = terminal();
    let side = || slave.try_clone().expect("a descriptor can be copied");
    let mut cat = command("cat").stdin(side()).stdout(side()).spawn().expect("cat can be started");
    let took = (0..KEYS).map(|_| {
        std::thread::sleep(REST);
        let start = Instant::now();
        master.write_all(b"x").expect("the terminal takes keys");
        assert_eq!(master.read(&mut [0]).expect("the terminal echoes"), 1);
        start.elapsed()
    });
    let took = took.collect();
    cat.kill().expect("cat is ours");
    cat.wait().expect("cat can be waited for");
    took
}

async fn typed_there(far: &Far) -> Vec<Duration> {
    let mut reader = far.start(&["cat"], Stdio::Terminal(TermSize::default())).await;
    let SessionEvent::Started { session, .. } = reader.next().await.expect("it starts") else { panic!("it did not start") };
    let mut took = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        tokio::time::sleep(REST).await;
        let start = Instant::now();
        // Seen before the answer to the writing, as often as not: the two are not waited for in turn.
        let (typed, seen) = tokio::join!(far.host.write(session, b"x"[..].into(), Input::StaysOpen), reader.next());
        typed.expect("the session takes keys");
        let SessionEvent::Output(Piece::Bytes { bytes, .. }) = seen.expect("the session can be read") else {
            panic!("it echoes nothing")
        };
        assert_eq!(bytes.as_ref(), b"x");
        took.push(start.elapsed());
    }
    far.host.kill(session, "the benchmark").await.expect("the node ends it");
    while !matches!(reader.next().await.expect("the session can be read"), SessionEvent::Ended { .. }) {}
    far.release(session).await;
    took
}

fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a short list"
    )]
    let at = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
