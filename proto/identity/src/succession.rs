//! Which of a cluster's authorities signs, and which are believed, at a moment. Pure.
//!
//! A new authority is believed at once, and signs only when everybody who can still be a member has heard of it: whoever did not hear for
//! longer than a certificate lives has none that is valid. The old one is believed as long as a certificate of it can be valid. Nobody has
//! to count who has heard: time does.

use crate::authority::SKEW;
use std::time::Duration;

/// What an authority is for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Office {
    /// It is believed, and signs nothing before this time, in milliseconds since 1970.
    Coming(u64),
    /// It signs.
    Signing,
    /// It signs no more, and is believed until this time, in milliseconds since 1970.
    Going(u64),
    /// Nobody believes it any more.
    Gone,
}

/// How long each of the two steps of a change takes: the life of a certificate, with some time for clocks that differ.
#[must_use]
pub fn step(lifetime: Duration) -> Duration {
    lifetime.saturating_add(lifetime.min(SKEW))
}

/// The offices of the authorities that were introduced at these times, the oldest first, in a cluster whose certificates live so long.
#[must_use]
pub fn offices(introduced_ms: &[u64], lifetime: Duration, now_ms: u64) -> Vec<Office> {
    let step = u64::try_from(step(lifetime).as_millis()).unwrap_or(u64::MAX);
    // The first one was there before anybody who could hear of it.
    let signs_from = |at: usize| if at == 0 { Some(0) } else { introduced_ms.get(at).map(|from| from.saturating_add(step)) };
    (0..introduced_ms.len())
        .map(|at| match (signs_from(at), signs_from(at + 1)) {
            (Some(from), _) if now_ms < from => Office::Coming(from),
            (_, Some(next)) if now_ms >= next.saturating_add(step) => Office::Gone,
            (_, Some(next)) if now_ms >= next => Office::Going(next.saturating_add(step)),
            (_, _) => Office::Signing,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIFE: Duration = Duration::from_secs(1000);

    #[test]
    fn one_takes_over_from_another_in_two_steps() {
        let at = |now_s: u64| offices(&[0, 5_000_000], LIFE, now_s * 1000);
        // 300 s more than a certificate's life.
        assert_eq!(at(5_000), [Office::Signing, Office::Coming(6_300_000)]);
        assert_eq!(at(6_299), [Office::Signing, Office::Coming(6_300_000)]);
        assert_eq!(at(6_300), [Office::Going(7_600_000), Office::Signing]);
        assert_eq!(at(7_600), [Office::Gone, Office::Signing]);
        assert_eq!(offices(&[0], LIFE, 0), [Office::Signing]);
    }

    proptest! {
        #[test]
        fn one_signs_at_any_time_and_what_it_signed_is_believed_as_long_as_it_is_valid(
            waits in proptest::collection::vec(0..10_000_u64, 0..4), life in 1..3_000_u64, now in 0..60_000_u64,
        ) {
            let lifetime = Duration::from_millis(life);
            let step = u64::try_from(step(lifetime).as_millis()).unwrap();
            // A change is begun only after the one before it is over.
            let introduced = waits.iter().scan(0, |at, wait| { *at += 2 * step + wait + 1; Some(*at) });
            let introduced: Vec<u64> = [0].into_iter().chain(introduced).collect();
            let now_offices = offices(&introduced, lifetime, now);
            let signing = |offices: &[Office]| offices.iter().position(|office| *office == Office::Signing);
            prop_assert_eq!(now_offices.iter().filter(|office| **office == Office::Signing).count(), 1);
            let signer = signing(&now_offices).unwrap();
            for later in [now, now + life / 2, now + life] {
                prop_assert_ne!(offices(&introduced, lifetime, later)[signer], Office::Gone);
            }
            // Who signs was believed for a whole life before.
            if introduced[signer] > 0 {
                prop_assert!(now.saturating_sub(introduced[signer]) >= life);
            }
        }
    }
}
