//! The gate, with a clock that stands still unless everybody waits.

use super::super::{Bounds, Gate, NoPlace, Quotas};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

const ONE: Bounds = Bounds { first: 1, most: 1 };

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(1000)
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_is_dropped_lets_the_next_one_in() {
    let gate = Gate::new(ONE, 10);
    let held = gate.enter(None, 1, in_time()).await.unwrap();
    let mut next = Box::pin(gate.enter(None, 1, in_time()));
    assert!(futures::poll!(next.as_mut()).is_pending());
    drop(held);
    assert!(next.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_is_not_waited_for() {
    let gate = Gate::new(ONE, 10);
    let held = gate.enter(None, 1, in_time()).await.unwrap();
    // The first in line gives up, also in the moment in which it is called.
    let mut first = Box::pin(gate.enter(None, 1, in_time()));
    assert!(futures::poll!(first.as_mut()).is_pending());
    let mut second = Box::pin(gate.enter(None, 1, in_time()));
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(held);
    drop(first);
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_has_an_end_and_the_line_has_one() {
    let gate = Gate::new(ONE, 1);
    let _held = gate.enter(None, 1, in_time()).await.unwrap();
    let mut waiting = Box::pin(gate.enter(None, 1, Instant::now() + Duration::from_secs(5)));
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    assert_eq!(gate.enter(None, 1, in_time()).await.err(), Some(NoPlace::Full(1)));
    let began = Instant::now();
    assert_eq!(waiting.await.err(), Some(NoPlace::TooLate));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_provider_asks_for_holds_for_everybody() {
    let gate = Gate::new(Bounds { first: 8, most: 8 }, 10);
    let mut permit = gate.enter(None, 1, in_time()).await.unwrap();
    let ticket = permit.ticket;
    assert!(!permit.refused(Some(Duration::from_secs(7)), Quotas::default()));
    drop(permit);
    let began = Instant::now();
    let other = gate.enter(None, 1, in_time());
    let again = gate.enter(Some(ticket), 1, in_time());
    let (other, again) = tokio::join!(other, again);
    assert!(other.is_ok() && again.is_ok());
    assert!(began.elapsed() >= Duration::from_secs(7) && began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn many_who_come_and_go_leave_no_place_taken() {
    let gate = Gate::new(Bounds { first: 3, most: 3 }, 1000);
    let mut tasks = JoinSet::new();
    for number in 0..300_u64 {
        let gate = Arc::clone(&gate);
        tasks.spawn(async move {
            let patience = Duration::from_millis(number * 37 % 900);
            let asked = tokio::time::timeout(patience, async {
                let mut permit = gate.enter(None, 1, in_time()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(number % 40)).await;
                permit.answered();
            });
            let _ = asked.await;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let all = [gate.enter(None, 1, in_time()).await, gate.enter(None, 1, in_time()).await, gate.enter(None, 1, in_time()).await];
    assert!(all.iter().all(Result::is_ok));
}
