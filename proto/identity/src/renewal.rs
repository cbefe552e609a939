//! When a certificate is renewed: at half of its life, each process a little earlier or later, so that not all come at once.

use std::time::Duration;

/// What to do about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing until this time has passed.
    Wait(Duration),
    /// Renew it now.
    Now,
    /// It is over: only a new join token helps.
    Over,
}

/// How much of its life a certificate may be renewed before or after its half, in parts of a hundred.
const JITTER: u64 = 10;

/// What to do at `now_ms` about a certificate that is valid from `from_ms` until `until_ms`. `chance` (0 to 255) chooses the moment
/// between 40 % and 60 % of its life, and should be drawn once for each certificate.
#[must_use]
pub fn decide(from_ms: u64, until_ms: u64, now_ms: u64, chance: u8) -> Renewal {
    if now_ms >= until_ms {
        return Renewal::Over;
    }
    let life = until_ms.saturating_sub(from_ms);
    let share = 50 - JITTER + 2 * JITTER * u64::from(chance) / 255;
    let at = from_ms.saturating_add(life / 100 * share + life % 100 * share / 100);
    if now_ms >= at { Renewal::Now } else { Renewal::Wait(Duration::from_millis(at - now_ms)) }
}

/// How long to wait after the `failures`-th try in a row that failed: a second, doubled each time, at most a minute and at most a
/// sixteenth of what is left of the certificate's life.
#[must_use]
pub fn after_failure(failures: u32, until_ms: u64, now_ms: u64) -> Duration {
    let doubled = 1000_u64 << failures.saturating_sub(1).min(6);
    let left = until_ms.saturating_sub(now_ms) / 16;
    Duration::from_millis(doubled.min(60_000).min(left).max(200))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_is_renewed_at_half_its_life() {
        assert_eq!(decide(0, 1000, 0, 0), Renewal::Wait(Duration::from_millis(400)));
        assert_eq!(decide(0, 1000, 0, 255), Renewal::Wait(Duration::from_millis(600)));
        assert_eq!(decide(0, 1000, 700, 255), Renewal::Now);
        assert_eq!(decide(0, 1000, 1000, 0), Renewal::Over);
    }

    proptest! {
        #[test]
        fn the_moment_lies_between_two_and_three_fifths(from in 0..1_u64 << 40, life in 1..1_u64 << 40, chance: u8) {
            let Renewal::Wait(wait) = decide(from, from + life, from, chance) else { return Ok(()) };
            let wait = u64::try_from(wait.as_millis()).unwrap();
            prop_assert!(wait * 100 >= life.saturating_sub(100) * 40 && wait * 100 <= life * 60, "{wait} of {life}");
        }

        #[test]
        fn whoever_waits_as_told_renews_and_never_finds_it_over(from in 0..1_u64 << 40, life in 100..1_u64 << 40, chance: u8) {
            let now = match decide(from, from + life, from, chance) {
                Renewal::Wait(wait) => from + u64::try_from(wait.as_millis()).unwrap(),
                Renewal::Now | Renewal::Over => from,
            };
            prop_assert_eq!(decide(from, from + life, now, chance), Renewal::Now);
        }

        #[test]
        fn a_wait_after_a_failure_is_bounded(failures: u32, until in 0..1_u64 << 45, now in 0..1_u64 << 45) {
            let wait = after_failure(failures, until, now);
            prop_assert!(wait >= Duration::from_millis(200) && wait <= Duration::from_secs(60));
        }
    }
}
