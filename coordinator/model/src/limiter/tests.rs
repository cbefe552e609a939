//! Laws of the limiter, over simulated providers and with real sleepers.

use super::line::{Answer, Line, Ticket};
use super::pace::{Admission, Outcome};
use super::*;
use proptest::prelude::*;
use simulation::{Provider, Run};
use std::time::Duration;

mod simulation;
mod sleepers;

const BOUNDS: Bounds = Bounds { first: 8, most: 512 };

fn concurrent(limit: u32) -> Provider {
    Provider { concurrent: limit, window: None, retry_after: None, latency: 200..1800 }
}

#[test]
fn two_hundred_threads_settle_at_what_the_provider_takes() {
    for limit in [1, 3, 16, 100] {
        let run = Run::of(&concurrent(limit), BOUNDS, 200, 60, 7);
        // Beyond the first minute: by then it is learned.
        let (used, refused) = (run.used_after(60_000), run.refused_after(60_000));
        assert!(used >= 0.9, "limit {limit}: {:.1} % used", used * 100.0);
        assert!(refused <= 0.05, "limit {limit}: {:.1} % refused", refused * 100.0);
    }
}

#[test]
fn a_provider_that_asks_to_be_left_alone_is_left_alone() {
    let provider = Provider { retry_after: Some(1000), ..concurrent(16) };
    let run = Run::of(&provider, BOUNDS, 200, 40, 3);
    assert!(run.used_after(60_000) >= 0.8, "{:.3}", run.used_after(60_000));
    assert_eq!(run.sent_while_closed, 0);
}

#[test]
fn a_quota_for_each_second_is_not_stormed() {
    // Ten requests a second, whatever their number at a time.
    let provider = Provider { window: Some((1000, 10)), latency: 100..300, ..concurrent(1000) };
    let run = Run::of(&provider, BOUNDS, 100, 20, 5);
    // A refusal for every request that is answered would be one for each thread and second: far more.
    assert!(run.refused_after(0) < 0.25, "{:.3} refused", run.refused_after(0));
    assert!(run.finished_at < 2000 / 10 * 1000 * 2, "{} ms", run.finished_at);
}

#[test]
fn a_provider_that_refuses_everything_is_hardly_asked() {
    let mut line = Line::new(BOUNDS, 100);
    let mut asked = 0_u32;
    let mut now = Duration::ZERO;
    let mut place = line.join(None, 1).unwrap();
    while now < Duration::from_secs(600) {
        match line.ask(place, now) {
            Answer::Go(admission) => {
                asked += 1;
                line.settle(admission, Outcome::Refused { wait: None }, Quotas::default(), now);
                place = line.join(Some(place), 1).unwrap();
            }
            Answer::NotYet(at) => now = at.unwrap(),
        }
    }
    assert!(asked < 40, "asked {asked} times in ten minutes");
}

#[test]
fn refusals_of_one_moment_take_away_half_at_most_and_one_takes_an_eighth() {
    let slots_after = |refused: usize| {
        let mut line = Line::new(Bounds { first: 32, most: 64 }, 100);
        let admissions: Vec<Admission> = (0..32).map(|_| admit(&mut line)).collect();
        for admission in admissions.into_iter().take(refused) {
            line.settle(admission, Outcome::Refused { wait: None }, Quotas::default(), Duration::ZERO);
        }
        line.slots()
    };
    assert_eq!([0, 1, 8, 32].map(slots_after), [32, 27, 21, 16]);
}

fn admit(line: &mut Line) -> Admission {
    let ticket = line.join(None, 1).unwrap();
    match line.ask(ticket, Duration::ZERO) {
        Answer::Go(admission) => admission,
        Answer::NotYet(_) => panic!("there is room"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.min(2000), ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_in_the_end_whatever_the_provider_takes(
        limit in 1..40_u32, first in 1..60_u32, most in 1..80_u32, threads in 1..60_u32, seed: u64,
        window in proptest::option::of((100..2000_u64, 1..20_u32)), retry_after in proptest::option::of(1..3000_u64),
    ) {
        let provider = Provider { concurrent: limit, window, retry_after, latency: 10..500 };
        let run = Run::of(&provider, Bounds { first, most }, threads, 3, seed);
        prop_assert_eq!(run.answered.len(), threads as usize * 3);
        prop_assert!(run.most_under_way <= u64::from(most));
        prop_assert_eq!(run.sent_while_closed, 0);
    }

    #[test]
    fn who_came_first_goes_first_and_no_place_is_lost(acts in proptest::collection::vec((0..5_u8, 0..20_usize, 0..400_u64), 1..300)) {
        let mut line = Line::new(Bounds { first: 2, most: 4 }, 10);
        let (mut waiting, mut under_way): (Vec<Ticket>, Vec<(Ticket, Admission)>) = (Vec::new(), Vec::new());
        let mut now = Duration::ZERO;
        for (act, which, passed) in acts {
            now += Duration::from_millis(passed);
            match act {
                0 => match line.join(None, 1) {
                    Ok(ticket) => waiting.push(ticket),
                    Err(_) => prop_assert!(waiting.len() >= 10),
                },
                1 if !waiting.is_empty() => {
                    let ticket = waiting[which % waiting.len()];
                    if let Answer::Go(admission) = line.ask(ticket, now) {
                        prop_assert_eq!(Some(ticket), waiting.iter().min().copied());
                        waiting.retain(|other| *other != ticket);
                        under_way.push((ticket, admission));
                    }
                }
                2 if !waiting.is_empty() => line.leave(waiting.swap_remove(which % waiting.len())),
                3 if !under_way.is_empty() => {
                    let (_, admission) = under_way.swap_remove(which % under_way.len());
                    line.settle(admission, Outcome::Answered, Quotas::default(), now);
                }
                4 if !under_way.is_empty() => {
                    let (ticket, admission) = under_way.swap_remove(which % under_way.len());
                    line.settle(admission, Outcome::Refused { wait: None }, Quotas::default(), now);
                    waiting.push(line.join(Some(ticket), 1).unwrap());
                }
                _ => {}
            }
            prop_assert!(under_way.len() <= 4 && (1..=4).contains(&line.slots()));
            prop_assert_eq!(line.waiting(), waiting.len());
        }
        // Whatever happened: with the others gone, who is first gets through within the longest pause.
        for (_, admission) in under_way.drain(..) {
            line.settle(admission, Outcome::Other, Quotas::default(), now);
        }
        if let Some(first) = waiting.iter().min() {
            let go = line.ask(*first, now + Duration::from_secs(61));
            prop_assert!(matches!(go, Answer::Go(_)), "{go:?}");
        }
    }
}
