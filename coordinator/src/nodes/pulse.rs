//! What a link's heartbeats say of it, and when the next one is due. Pure.
//!
//! A link is silent after two questions in a row without an answer, which a node that has just answered cannot reach sooner than by
//! being asked twice, and a dead one not later than 10 seconds after its last answer.

use std::time::Duration;

/// The time between an answer and the next question, at most.
const EVERY: Duration = Duration::from_secs(4);

/// How long an answer is waited for.
pub const DEADLINE: Duration = Duration::from_millis(2500);

/// The time between the first question without an answer and the next one, at most.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The longest time between two questions to a link that is silent.
const SELDOM: Duration = Duration::from_secs(15);

/// So many questions in a row without an answer make a link silent.
const LOST: u32 = 2;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The node answered, whatever it said.
    Heard,
    /// It did not, in time.
    Missed,
}

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkState {
    /// The node has not been asked to the end yet.
    New,
    /// It answered the last question.
    Alive,
    /// It did not answer the last one, which may mean nothing.
    Late,
    /// It does not answer: nothing new is begun there.
    Silent,
}

/// The heartbeats of a link until now. Times are counted from the link's making.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    heard: Option<Duration>,
    missed: u32,
}

impl Pulse {
    /// Takes what came of a question at `at`, and says how long to wait before the next. `chance`, from 0 to 1, spreads the links of one
    /// coordinator, and the coordinators of one node.
    #[must_use]
    pub fn beat(&mut self, beat: Beat, at: Duration, chance: f64) -> Duration {
        match beat {
            Beat::Heard => *self = Self { heard: Some(at), missed: 0 },
            Beat::Missed => self.missed = self.missed.saturating_add(1),
        }
        let longest = match self.missed {
            0 => EVERY,
            1 => AT_ONCE,
            more => SELDOM.min(AT_ONCE * 2_u32.saturating_pow(more.min(16) - 1)),
        };
        // At least half of it, so that a wait is a wait.
        longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }

    /// How the link is.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        match (self.heard, self.missed) {
            (_, LOST..) => LinkState::Silent,
            (None, 0) => LinkState::New,
            (Some(_), 0) => LinkState::Alive,
            (_, _) => LinkState::Late,
        }
    }

    /// When the node was last heard.
    #[must_use]
    pub const fn heard(&self) -> Option<Duration> {
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn beats() -> impl Strategy<Value = Vec<(Beat, u64, f64)>> {
        let beat = prop_oneof![Just(Beat::Heard), Just(Beat::Missed)];
        // A question that is not answered takes its whole deadline.
        prop::collection::vec((beat, 0..2500_u64, 0.0..=1.0), 0..60)
    }

    #[test]
    fn a_link_is_new_alive_late_silent_and_alive_again() {
        let mut pulse = Pulse::default();
        let mut states = vec![pulse.state()];
        for beat in [Beat::Heard, Beat::Missed, Beat::Missed, Beat::Missed, Beat::Heard] {
            let _ = pulse.beat(beat, Duration::ZERO, 0.0);
            states.push(pulse.state());
        }
        use LinkState::{Alive, Late, New, Silent};
        assert_eq!(states, [New, Alive, Late, Silent, Silent, Alive]);
    }

    proptest! {
        #[test]
        fn a_dead_node_is_found_out_within_ten_seconds_and_a_living_one_never(beats in beats()) {
            let (mut pulse, mut now, mut before) = (Pulse::default(), Duration::ZERO, Vec::new());
            for (beat, took, chance) in beats {
                now += if beat == Beat::Missed { DEADLINE } else { Duration::from_millis(took) };
                let was_silent = pulse.state() == LinkState::Silent;
                let wait = pulse.beat(beat, now, chance);
                before.push(beat);
                let silent = pulse.state() == LinkState::Silent;
                prop_assert_eq!(silent, before.ends_with(&[Beat::Missed, Beat::Missed]));
                if silent && !was_silent {
                    let since = now - pulse.heard().unwrap_or_default();
                    prop_assert!(since <= Duration::from_secs(10), "{:?}", since);
                }
                prop_assert!(wait >= AT_ONCE / 2 && wait <= SELDOM, "{:?}", wait);
                now += wait;
            }
        }

        #[test]
        fn a_silent_node_is_asked_more_and_more_seldom(chance in 0.0..=1.0_f64) {
            let mut pulse = Pulse::default();
            let waits: Vec<Duration> = (0..40).map(|_| pulse.beat(Beat::Missed, Duration::ZERO, chance)).collect();
            prop_assert!(waits.is_sorted(), "{:?}", waits);
            prop_assert!(*waits.last().unwrap() >= SELDOM / 2);
        }
    }
}
