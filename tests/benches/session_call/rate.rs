//! How many calls a second, with so many in flight.

use crate::call::call;
use crate::far::Far;
use crate::{PROGRAM, bare, on_terminal};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long each is measured.
const SPAN: Duration = Duration::from_secs(5);

/// How many are in flight.
const FLIGHTS: [usize; 4] = [1, 8, 64, 512];

/// Tells the rates of bare spawns and of each way.
pub(crate) async fn many_at_once(ways: &[(&str, &Far)]) {
    println!("\ncalls of {PROGRAM:?} on a terminal a second, with so many in flight, for {} s each\n", SPAN.as_secs());
    println!("| way | {} |", FLIGHTS.map(|flights| format!("{flights} | ratio")).join(" | "));
    println!("|---|{}", "---|---|".repeat(FLIGHTS.len()));
    let mut bare = Vec::new();
    for flights in FLIGHTS {
        bare.push(tokio::task::spawn_blocking(move || spawned(flights)).await.expect("the threads end"));
    }
    row("bare spawn on a terminal", &bare, &bare);
    for (name, far) in ways {
        let mut rates = Vec::new();
        for flights in FLIGHTS {
            rates.push(called(far, flights).await);
        }
        row(name, &rates, &bare);
    }
}

fn row(name: &str, rates: &[f64], bare: &[f64]) {
    let cells = rates.iter().zip(bare).map(|(rate, bare)| format!("{rate:.0} | {:.2}", rate / bare));
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn spawned(flights: usize) -> f64 {
    let (until, done) = (Instant::now() + SPAN, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..flights {
            scope.spawn(|| {
                while Instant::now() < until {
                    bare::spawned(&PROGRAM);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    a_second(done.into_inner())
}

async fn called(far: &Far, flights: usize) -> f64 {
    let until = Instant::now() + SPAN;
    let mut calls = JoinSet::new();
    for _ in 0..flights {
        let far = far.clone();
        calls.spawn(async move {
            let mut done = 0;
            while Instant::now() < until {
                call(&far, &PROGRAM, on_terminal()).await;
                done += 1;
            }
            done
        });
    }
    a_second(calls.join_all().await.into_iter().sum())
}

#[expect(clippy::cast_precision_loss, reason = "a count of a few thousands")]
fn a_second(done: usize) -> f64 {
    done as f64 / SPAN.as_secs_f64()
}
