//! What a turn or a thread has used. Pure.

use capstan_types::budget::Used;
use capstan_types::history::Usage;
use capstan_types::money::{Bill, Spent};
use capstan_types::time::Millis;

/// What a turn or a thread has used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tokens, those of earlier releases' turns included, which have no bill.
    pub usage: Usage,
    /// By provider and model.
    pub bill: Bill,
    /// The time of turns that have ended.
    pub time: Millis,
}

impl Tally {
    /// Adds what an answer used.
    pub fn add(&mut self, spent: &Spent) {
        self.usage = self.usage.plus(spent.usage);
        self.bill.add(spent);
    }

    /// Adds the time of a turn.
    pub fn took(&mut self, time: Millis) {
        self.time = Millis(self.time.0.saturating_add(time.0));
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut both = Self { usage: self.usage.plus(other.usage), bill: self.bill.plus(&other.bill), time: self.time };
        both.took(other.time);
        both
    }

    /// What counts for a budget, with a turn that has run for `running`.
    #[must_use]
    pub fn used(&self, running: Millis) -> Used {
        Used {
            cost: self.bill.cost(),
            tokens: self.usage.input_tokens.saturating_add(self.usage.output_tokens),
            steps: self.bill.answers(),
            time: Millis(self.time.0.saturating_add(running.0)),
        }
    }
}
