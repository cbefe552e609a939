//! How long to wait before the next try: longer each time, and never the same for two processes.
//!
//! Without the second part, a thousand nodes whose leases ended together would come back together, again and again.

use std::time::Duration;

/// The first wait, at most.
const FIRST: Duration = Duration::from_millis(200);

/// The longest wait, unless a shorter one is set.
const LONGEST: Duration = Duration::from_secs(3);

/// The waits between tries.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    at_most: Duration,
    longest: Duration,
}

impl Pause {
    pub(super) fn fresh() -> Self {
        Self::up_to(LONGEST)
    }

    /// Waits that are never longer than this, nor than the usual longest.
    pub(super) fn up_to(longest: Duration) -> Self {
        Self { at_most: FIRST, longest: longest.min(LONGEST) }
    }

    /// The next wait: between half of the present bound and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let wait = spread(self.at_most / 2, self.at_most);
        self.at_most = (self.at_most * 2).min(self.longest);
        wait
    }

    /// Something worked.
    pub(super) fn reset(&mut self) {
        self.at_most = FIRST.min(self.longest);
    }
}

/// A time between two others, by chance.
pub(super) fn spread(from: Duration, to: Duration) -> Duration {
    from + to.saturating_sub(from).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_differ() {
        let mut pause = Pause::fresh();
        let waits: Vec<Duration> = (0..20).map(|_| pause.next()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{waits:?}");
        assert!(waits[10..].iter().all(|wait| *wait >= LONGEST / 2 && *wait <= LONGEST), "{waits:?}");
        assert!(waits[10..].windows(2).any(|pair| pair[0] != pair[1]), "{waits:?}");
    }
}
