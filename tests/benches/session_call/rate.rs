//! How many calls a second, with so many in flight.

use crate::bare;
use crate::call::call;
use crate::far::Far;
use crate::measured::{PROGRAM, on_terminal};
use crate::plan::Plan;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Tells the rates of bare spawns and of each way that is planned.
pub(crate) async fn many_at_once(plan: &Plan, ways: &[(&str, &Far)]) {
    let (flights, span) = (&plan.flights, plan.span);
    println!("\ncalls of {PROGRAM:?} on a terminal a second, with so many in flight, for {} s each\n", span.as_secs());
    println!("| way | {} |", flights.iter().map(|flights| format!("{flights} | ratio")).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|---|".repeat(flights.len()));
    let mut bare = Vec::new();
    for &flights in flights {
        let rate = plan.wants(0).then(|| tokio::task::spawn_blocking(move || spawned(flights, span)));
        bare.push(match rate {
            Some(rate) => rate.await.expect("the threads end"),
            None => f64::NAN,
        });
    }
    row("bare spawn on a terminal", &bare, &bare);
    for (_, (name, far)) in ways.iter().enumerate().filter(|(place, _)| plan.wants(place + 1)) {
        let mut rates = Vec::new();
        for &flights in flights {
            rates.push(called(far, flights, span).await);
        }
        row(name, &rates, &bare);
    }
}

fn row(name: &str, rates: &[f64], bare: &[f64]) {
    let cells = rates.iter().zip(bare).map(|(rate, bare)| format!("{rate:.0} | {:.2}", rate / bare));
    println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn spawned(flights: usize, span: Duration) -> f64 {
    let (until, done) = (Instant::now() + span, AtomicUsize::new(0));
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
    a_second(done.into_inner(), span)
}

async fn called(far: &Far, flights: usize, span: Duration) -> f64 {
    let until = Instant::now() + span;
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
    a_second(calls.join_all().await.into_iter().sum(), span)
}

#[expect(clippy::cast_precision_loss, reason = "a count of a few thousands")]
fn a_second(done: usize, span: Duration) -> f64 {
    done as f64 / span.as_secs_f64()
}
