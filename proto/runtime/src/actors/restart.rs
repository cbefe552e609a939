//! How often something that fails is started again, and how long to wait first.
//!
//! Time is passed in, so that the rule can be tested without waiting. Invariant: inside any window there are at most as many restarts
//! as the rule allows; one failure more is passed upwards.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The rule by which restarts are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartRule {
    /// The most restarts inside `window`. 0 grants none.
    pub at_most: u16,
    /// The length of the window that is looked back upon.
    pub window: Duration,
    /// The wait before the first restart in a window; each further one waits twice as long.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Start it again after this long.
    After(Duration),
    /// It failed too often: give up and tell whoever is above.
    GiveUp,
}

/// The restarts that were granted to one thing.
#[derive(Debug)]
pub struct RestartBudget {
    rule: RestartRule,
    /// When the restarts of the current window were asked for; never longer than `rule.at_most`.
    granted: VecDeque<Instant>,
}

impl RestartBudget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub const fn new(rule: RestartRule) -> Self {
        Self { rule, granted: VecDeque::new() }
    }

    /// Notes a failure at `now` and decides about it. Moments must not go backwards; one that does counts as the latest seen.
    pub fn failed(&mut self, now: Instant) -> Restart {
        let now = self.granted.back().map_or(now, |last| now.max(*last));
        while self.granted.front().is_some_and(|first| now.duration_since(*first) >= self.rule.window) {
            self.granted.pop_front();
        }
        if self.granted.len() >= usize::from(self.rule.at_most) {
            return Restart::GiveUp;
        }
        let wait = self.wait_after(self.granted.len());
        self.granted.push_back(now);
        Restart::After(wait)
    }

    fn wait_after(&self, earlier: usize) -> Duration {
        let doublings = u32::try_from(earlier).unwrap_or(u32::MAX);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.rule.first_wait.saturating_mul(factor).min(self.rule.longest_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::{Restart, RestartBudget, RestartRule};
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    const RULE: RestartRule = RestartRule {
        at_most: 3,
        window: Duration::from_secs(60),
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(250),
    };

    #[test]
    fn waits_double_up_to_the_longest_and_then_it_gives_up() {
        let (start, mut budget) = (Instant::now(), RestartBudget::new(RULE));
        let at = |budget: &mut RestartBudget, seconds| budget.failed(start + Duration::from_secs(seconds));
        assert_eq!(at(&mut budget, 0), Restart::After(Duration::from_millis(100)));
        assert_eq!(at(&mut budget, 1), Restart::After(Duration::from_millis(200)));
        assert_eq!(at(&mut budget, 2), Restart::After(Duration::from_millis(250)));
        assert_eq!(at(&mut budget, 59), Restart::GiveUp);
        assert_eq!(at(&mut budget, 60), Restart::After(Duration::from_millis(250)), "the oldest restart is out of the window");
        assert_eq!(at(&mut budget, 200), Restart::After(Duration::from_millis(100)), "a quiet window forgives everything");
    }

    #[test]
    fn a_budget_of_none_gives_up_at_once() {
        assert_eq!(RestartBudget::new(RestartRule { at_most: 0, ..RULE }).failed(Instant::now()), Restart::GiveUp);
    }

    proptest! {
        #[test]
        fn no_window_holds_more_restarts_than_allowed(
            at_most in 0..40_u16,
            window in 0..5_000_u64,
            steps in prop::collection::vec(0..900_u64, 0..80),
        ) {
            let rule = RestartRule { at_most, window: Duration::from_millis(window), ..RULE };
            let (start, mut budget) = (Instant::now(), RestartBudget::new(rule));
            let (mut now, mut granted) = (0, Vec::new());
            for step in steps {
                now += step;
                let inside = granted.iter().filter(|at| now - **at < window).count();
                match budget.failed(start + Duration::from_millis(now)) {
                    Restart::After(wait) => {
                        prop_assert!(inside < usize::from(at_most));
                        prop_assert!(wait >= RULE.first_wait && wait <= RULE.longest_wait);
                        granted.push(now);
                    }
                    Restart::GiveUp => prop_assert_eq!(inside, usize::from(at_most), "it gave up with budget left"),
                }
            }
        }
    }
}
