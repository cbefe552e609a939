//! How long to wait between two attempts, and when to give up. Pure: time and chance come in as values.

use std::time::Duration;

/// The first pause; each later one is twice as long.
const FIRST: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// The pause after the `attempt`-th failure, from 0: half of it to all of it by `chance`, so that many clients which lost one coordinator
/// do not come back to it together.
#[must_use]
pub(super) fn pause(attempt: u32, chance: u8) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST);
    doubled.saturating_mul(256 + u32::from(chance)) / 512
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_pauses_grow_to_two_seconds() {
        let pauses: Vec<_> = (0..8).map(|attempt| pause(attempt, 255).as_millis()).collect();
        assert_eq!(pauses, [49, 99, 199, 399, 798, 1596, 1996, 1996]);
    }

    proptest! {
        #[test]
        fn chance_takes_away_at_most_half_of_a_pause(attempt: u32, chance: u8) {
            let (this, least) = (pause(attempt, chance), pause(attempt, 0));
            prop_assert!(this >= least && this <= least * 2 && this <= LONGEST && this >= FIRST / 2);
        }
    }
}
