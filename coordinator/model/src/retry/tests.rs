//! Limits and pauses of retries.

use super::*;
use proptest::prelude::*;

const POLICY: RetryPolicy = RetryPolicy::new(4, 5);

fn limited(wait: Option<Duration>) -> Failure {
    Failure::Status { status: 429, code: String::new(), wait, message: "slow down".to_owned(), quotas: Box::default() }
}

fn cut() -> Failure {
    Failure::Cut("the stream ended early".to_owned())
}

fn pauses(failure: &Failure, chance: u8) -> Vec<u128> {
    let pause = |attempt| match decide(failure, attempt, &POLICY, chance) {
        Decision::Retry { after, .. } => Some(after.as_millis()),
        Decision::GiveUp(_) => None,
    };
    (1..).map_while(pause).collect()
}

#[test]
fn pauses_double_and_the_tries_end() {
    assert_eq!(pauses(&cut(), 128), [200, 400, 800, 1600, 3200]);
    assert_eq!(pauses(&Failure::Unreachable("refused".to_owned()), 128), [200, 400, 800, 1600]);
    assert_eq!(pauses(&limited(None), 128).len(), 5);
}

#[test]
fn a_named_wait_is_kept_exactly() {
    let wait = Duration::from_secs(7);
    assert_eq!(
        decide(&limited(Some(wait)), 1, &POLICY, 255),
        Decision::Retry { after: wait, of: 5, reason: "429: slow down".to_owned() }
    );
}

#[test]
fn a_wait_that_is_too_long_ends_the_step_and_says_when_to_come_back() {
    let Decision::GiveUp(error) = decide(&limited(Some(Duration::from_secs(3600))), 1, &POLICY, 0) else { panic!("retried") };
    assert_eq!(
        error.to_string(),
        "the provider's rate limit was reached: 429: slow down (it asks to come back in 3600 s; try again then)"
    );
}

#[test]
fn the_last_error_says_how_often_it_was_tried() {
    let Decision::GiveUp(error) = decide(&cut(), 6, &POLICY, 0) else { panic!("retried") };
    assert_eq!(error, ModelError::Unavailable("the stream ended early (tried 6 times)".to_owned()));
    let Decision::GiveUp(error) = decide(&limited(None), 6, &POLICY, 0) else { panic!("retried") };
    assert!(matches!(error, ModelError::RateLimited(_)), "{error:?}");
}

#[test]
fn the_two_limits_share_one_count() {
    // Four failed connections have used up what a fifth could draw on, yet a cut stream may still use its own limit.
    assert!(matches!(decide(&Failure::Unreachable(String::new()), 5, &POLICY, 0), Decision::GiveUp(_)));
    assert!(matches!(decide(&cut(), 5, &POLICY, 0), Decision::Retry { .. }));
    assert!(matches!(decide(&cut(), 6, &POLICY, 0), Decision::GiveUp(_)));
}

fn any_failure() -> impl Strategy<Value = Failure> {
    let wait = proptest::option::of((0_u64..10_000).prop_map(Duration::from_secs));
    let code = prop_oneof!["", "server_error", "rate_limit_exceeded", "insufficient_quota", "[a-z_]{1,12}"];
    prop_oneof![
        (300_u16..600, code.clone(), wait.clone(), ".{0,20}").prop_map(|(status, code, wait, message)| Failure::Status {
            status,
            code,
            wait,
            message,
            quotas: Box::default(),
        }),
        (code, wait, ".{0,20}").prop_map(|(code, wait, message)| Failure::Reported { code, wait, message }),
        ".{0,20}".prop_map(Failure::Unreachable),
        (0_u64..1000).prop_map(|seconds| Failure::Silent(Duration::from_secs(seconds))),
        ".{0,20}".prop_map(Failure::Cut),
        ".{0,20}".prop_map(Failure::Incomplete),
        ".{0,20}".prop_map(Failure::Unsendable),
    ]
}

proptest! {
    #[test]
    fn tries_and_pauses_are_bounded(
        failure in any_failure(),
        attempt in 1_u32..=u32::MAX,
        chance: u8,
        request_max_retries in 0_u32..100,
        stream_max_retries in 0_u32..100,
    ) {
        let policy = RetryPolicy { request_max_retries, stream_max_retries, ..POLICY };
        if let Decision::Retry { after, of, .. } = decide(&failure, attempt, &policy, chance) {
            prop_assert!(attempt <= of && of <= request_max_retries.max(stream_max_retries));
            prop_assert!(after <= policy.longest_wait.max(policy.longest_pause));
            prop_assert!(!after.is_zero());
        }
    }

    #[test]
    fn chance_spreads_a_pause_by_a_quarter_at_most(attempt in 1_u32..40, chance: u8) {
        let (low, high) = (POLICY.pause(attempt, 0), POLICY.pause(attempt, 255));
        let pause = POLICY.pause(attempt, chance);
        prop_assert!(low <= pause && pause <= high && high <= POLICY.longest_pause);
        prop_assert!(high.as_secs_f64() / low.as_secs_f64() < 1.7, "{low:?} to {high:?}");
    }
}
