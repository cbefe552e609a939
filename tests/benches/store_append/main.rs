//! What it costs to keep a call durably: the intent before anything is sent, and its one end with the output that the model is shown.
//!
//! One round is three things in turn, each on the same disk: a bare write of as many bytes with `fdatasync`, SQLite, and PostgreSQL
//! with `fsync` on. Alone, one thread waits for each append before the next; under load, many threads do so at once and share commits.
//! What a figure means is the ratio within one run, since machines differ and drift.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

mod bare;
mod work;

use capstan_store::{PostgresUrl, Store, StoreLocation, open};
use capstan_tests::postgres::PostgresServer;
use std::sync::Arc;
use std::time::Duration;

/// Threads that work at the same time, under load.
const THREADS: u32 = 64;

/// Calls of each, under load; and of the one, alone.
const CALLS: u32 = 40;

/// Rounds; the first is not counted.
const ROUNDS: usize = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let dir = tempfile::tempdir_in(std::env::current_dir().expect("there is a directory")).expect("a directory can be made");
    let server = PostgresServer::durable();
    let url: PostgresUrl = server.url().parse().expect("the server's URL is one");
    let places = [("SQLite", StoreLocation::Sqlite(dir.path().join("capstan.db"))), ("PostgreSQL", StoreLocation::Postgres(url))];
    let bare = median((0..ROUNDS).map(|_| bare::write(&dir.path().join("bare"), CALLS)).collect());
    println!("a call is two appends; {THREADS} threads of {CALLS} calls; median of {} rounds\n", ROUNDS - 1);
    println!("| store | one thread, ms per call | {THREADS} threads, ms per call | appends/s | × a bare fsync'ed write |");
    println!("|---|---|---|---|---|");
    println!("| bare write, fdatasync | {:.3} | | {:.0} | 1.00 |", millis(bare), 1.0 / bare.as_secs_f64());
    for (name, place) in places {
        let (alone, loaded) = runtime.block_on(rounds(&place));
        let (each, per_append) = (loaded / (THREADS * CALLS), loaded / (2 * THREADS * CALLS));
        println!(
            "| {name} | {:.3} | {:.3} | {:.0} | {:.2} |",
            millis(alone / CALLS),
            millis(each),
            1.0 / per_append.as_secs_f64(),
            per_append.as_secs_f64() / bare.as_secs_f64(),
        );
    }
}

async fn rounds(place: &StoreLocation) -> (Duration, Duration) {
    let store: Arc<dyn Store> = open(place).await.expect("the store opens");
    let (mut alone, mut loaded) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(work::together(&store, 1, CALLS).await);
        loaded.push(work::together(&store, THREADS, CALLS).await);
    }
    store.close().await;
    (median(alone), median(loaded))
}

/// Of all but the first, which warms up.
fn median(all: Vec<Duration>) -> Duration {
    let mut counted: Vec<_> = all.into_iter().skip(1).collect();
    counted.sort();
    counted[counted.len() / 2]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
