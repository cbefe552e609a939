//! What a turn or a thread may use before it pauses.

use crate::money::MicroDollars;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What may be used. What is left out has no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Money.
    pub cost: Option<MicroDollars>,
    /// Tokens of prompts and answers.
    pub tokens: Option<u64>,
    /// Answers of a model.
    pub steps: Option<u64>,
    /// Time, from the beginning of the turn; of a thread, the time of all its turns together.
    pub time: Option<Millis>,
}

/// What has been used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Money, as far as prices are known.
    pub cost: MicroDollars,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Answers of a model.
    pub steps: u64,
    /// Time.
    pub time: Millis,
}

/// The budgets of a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// Of each turn.
    pub turn: Budget,
    /// Of all turns together.
    pub thread: Budget,
}

/// A budget that is used up, in words: what of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// What is used up, such as `$0.52 of $0.50`.
    pub what: String,
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Budget {
    /// Whether it has no limit at all.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// The first limit that is reached: money, tokens, steps, time.
    #[must_use]
    pub fn reached(&self, used: &Used) -> Option<Reached> {
        let reached = |what: String| Some(Reached { what });
        match *self {
            Self { cost: Some(most), .. } if used.cost >= most => reached(format!("${} of ${most}", used.cost)),
            Self { tokens: Some(most), .. } if used.tokens >= most => reached(format!("{} of {most} tokens", used.tokens)),
            Self { steps: Some(most), .. } if used.steps >= most => reached(format!("{} of {most} model steps", used.steps)),
            Self { time: Some(most), .. } if used.time.0 >= most.0 => {
                reached(format!("{} of {} seconds", used.time.0 / 1000, most.0 / 1000))
            }
            Self { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USED: Used = Used { cost: MicroDollars(520_000), tokens: 1200, steps: 3, time: Millis(61_000) };

    #[test]
    fn what_is_used_up_is_said() {
        let said = |budget: Budget| budget.reached(&USED).map(|reached| reached.to_string());
        assert_eq!(said(Budget { cost: Some(MicroDollars(500_000)), ..Budget::default() }).unwrap(), "$0.52 of $0.50");
        assert_eq!(said(Budget { tokens: Some(1200), ..Budget::default() }).unwrap(), "1200 of 1200 tokens");
        assert_eq!(said(Budget { steps: Some(2), ..Budget::default() }).unwrap(), "3 of 2 model steps");
        assert_eq!(said(Budget { time: Some(Millis(60_000)), ..Budget::default() }).unwrap(), "61 of 60 seconds");
        assert_eq!(said(Budget::default()), None);
    }

    proptest! {
        #[test]
        fn more_use_never_brings_a_budget_back(most in proptest::array::uniform4(proptest::option::of(0..50_u64)), used in proptest::array::uniform4(0..50_u64), more in proptest::array::uniform4(0..50_u64)) {
            let budget = Budget { cost: most[0].map(MicroDollars), tokens: most[1], steps: most[2], time: most[3].map(Millis) };
            let at = |used: [u64; 4]| Used { cost: MicroDollars(used[0]), tokens: used[1], steps: used[2], time: Millis(used[3]) };
            let later = std::array::from_fn(|kind| used[kind] + more[kind]);
            prop_assert!(budget.reached(&at(used)).is_none() || budget.reached(&at(later)).is_some());
            prop_assert_eq!(budget.is_unlimited(), most == [None; 4]);
        }
    }
}
