//! How many tokens a turn's prompt has now. Pure.
//!
//! What the provider counted of the last prompt is the truth; only what was added since is estimated, and by how far estimates were wrong
//! before.

use capstan_types::history::Usage;

/// By how much an estimate is corrected at most, either way: beyond it the provider's count is the stranger one.
const MOST_CORRECTION: u64 = 3;

/// What is known of a turn's prompt.
#[derive(Debug, Clone, Default)]
pub struct Gauge {
    heard: Option<Heard>,
    /// The size of the prompt after it was shortened last.
    floor: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    /// The prompt's tokens with those of its answer, as they were counted.
    tokens: u64,
    /// Entries that they are of.
    entries: usize,
    /// The prompt's own, counted and estimated.
    input: u64,
    estimate: u64,
}

impl Gauge {
    /// Takes note of an answer: what it used, what the prompt had been estimated at, and how many entries there are with it.
    pub fn hear(&mut self, usage: Usage, estimate: u64, entries: usize) {
        // Some providers count nothing.
        if usage.input_tokens > 0 {
            let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
            self.heard = Some(Heard { tokens, entries, input: usage.input_tokens, estimate });
        }
    }

    /// The entries whose tokens are known already.
    #[must_use]
    pub fn known(&self) -> usize {
        self.heard.map_or(0, |heard| heard.entries)
    }

    /// The tokens of the prompt, if what follows the known entries is estimated at `added`; `overhead` is what a prompt has besides its
    /// entries.
    #[must_use]
    pub fn tokens(&self, overhead: u64, added: u64, is_exact: bool) -> u64 {
        match self.heard {
            None => overhead.saturating_add(added),
            Some(heard) if is_exact => heard.tokens.saturating_add(added),
            Some(heard) => heard.tokens.saturating_add(corrected(added, heard)),
        }
    }

    /// Whether a prompt of so many tokens is to be shortened. One that has hardly grown since it was shortened last is not: that would
    /// cost an answer and win nothing.
    #[must_use]
    pub fn is_full(&self, tokens: u64, full: u64) -> bool {
        tokens >= full && self.floor.is_none_or(|floor| tokens >= floor.saturating_add(full / 10))
    }

    /// Takes note that the prompt was shortened to so many tokens.
    pub const fn shortened(&mut self, tokens: u64) {
        self.heard = None;
        self.floor = Some(tokens);
    }
}

fn corrected(added: u64, heard: Heard) -> u64 {
    let estimate = heard.estimate.max(1);
    let input = heard.input.clamp(estimate / MOST_CORRECTION, estimate.saturating_mul(MOST_CORRECTION));
    u64::try_from(u128::from(added) * u128::from(input) / u128::from(estimate)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(input: u64, output: u64) -> Usage {
        Usage { input_tokens: input, output_tokens: output, ..Usage::default() }
    }

    #[test]
    fn what_the_provider_counted_goes_before_estimates_and_corrects_them() {
        let mut gauge = Gauge::default();
        assert_eq!((gauge.known(), gauge.tokens(100, 50, false)), (0, 150));
        gauge.hear(used(2_000, 10), 1_000, 7);
        assert_eq!(
            (gauge.known(), gauge.tokens(100, 50, false)),
            (7, 2_110),
            "this model has two tokens where one was estimated"
        );
        assert_eq!(gauge.tokens(100, 50, true), 2_060);
        gauge.hear(used(0, 0), 1_000, 9);
        assert_eq!(gauge.known(), 7, "a provider that counts nothing teaches nothing");
        gauge.hear(used(1, 0), 9_000, 9);
        assert_eq!(gauge.tokens(0, 90, false), 31, "no provider's count makes everything free");
    }

    #[test]
    fn a_prompt_that_stays_full_is_not_shortened_at_every_step() {
        let mut gauge = Gauge::default();
        assert!(!gauge.is_full(999, 1_000) && gauge.is_full(1_000, 1_000));
        gauge.shortened(1_200);
        assert!(!gauge.is_full(1_200, 1_000) && !gauge.is_full(1_299, 1_000) && gauge.is_full(1_300, 1_000));
        gauge.shortened(300);
        assert!(!gauge.is_full(900, 1_000) && gauge.is_full(1_000, 1_000));
    }
}
