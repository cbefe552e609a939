//! Money and what it buys of a model: exact, in whole millionths of a US dollar, without fractions.

use crate::history::Usage;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroDollars(pub u64);

impl MicroDollars {
    /// A dollar.
    pub const DOLLAR: Self = Self(1_000_000);

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for MicroDollars {
    /// In dollars, to the cent at least and as far as there is something: `0.50`, `1.234567`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % Self::DOLLAR.0);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / Self::DOLLAR.0, fraction.get(..kept).unwrap_or_default())
    }
}

/// A text that is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount in US dollars; write it like 0.50, with at most six digits after the point")]
pub struct NoAmount(pub String);

impl FromStr for MicroDollars {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        let no = || NoAmount(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 || (whole.is_empty() && fraction.is_empty()) {
            return Err(no());
        }
        let number = |part: &str| if part.is_empty() { Ok(0) } else { part.parse::<u64>().map_err(|_| no()) };
        let micros = number(&format!("{fraction:0<6}"))?;
        number(whole)?.checked_mul(Self::DOLLAR.0).and_then(|whole| whole.checked_add(micros)).map(Self).ok_or_else(no)
    }
}

/// What a model costs: each in millionths of a US dollar for a million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Tokens of the prompt that the provider had not kept.
    pub input: MicroDollars,
    /// Tokens of the prompt that it had kept.
    pub cached_input: MicroDollars,
    /// Tokens of the prompt that it put into its cache.
    pub cache_write: MicroDollars,
    /// Tokens of the answer, reasoning included.
    pub output: MicroDollars,
}

impl Price {
    /// What an answer costs, rounded to the nearest millionth: the one rounding that there is, at most half a millionth an answer.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> MicroDollars {
        let special = usage.cached_input_tokens.saturating_add(usage.cache_write_input_tokens);
        let plain = usage.input_tokens.saturating_sub(special);
        // Half a unit for the rounding; a product of two numbers of 64 bits fits, and so do four of them below.
        let parts = [
            (plain, self.input),
            (usage.cached_input_tokens, self.cached_input),
            (usage.cache_write_input_tokens, self.cache_write),
            (usage.output_tokens, self.output),
        ];
        let sum = parts.iter().fold(0_u128, |sum, (tokens, price)| sum.saturating_add(u128::from(*tokens) * u128::from(price.0)));
        MicroDollars(u64::try_from(sum.saturating_add(500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

/// What one model used: one answer of it, or many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The provider, a key of `model_providers`.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How many answers.
    pub answers: u64,
    /// Their tokens.
    pub usage: Usage,
    /// What they cost; `None` if the model's price is not known.
    pub cost: Option<MicroDollars>,
}

/// What was used, by provider and model, in the order in which they first answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bill(pub Vec<Spent>);

impl Bill {
    /// The most lines: who changes the model more often finds the rest under the last line.
    pub const MOST_LINES: usize = 64;

    /// Adds what was spent.
    pub fn add(&mut self, spent: &Spent) {
        let full = self.0.len() >= Self::MOST_LINES;
        let same = |line: &Spent| {
            line.provider == spent.provider && line.model == spent.model && line.cost.is_some() == spent.cost.is_some()
        };
        let place = self.0.iter().position(same).or_else(|| full.then(|| self.0.len().saturating_sub(1)));
        match place.and_then(|place| self.0.get_mut(place)) {
            None => self.0.push(spent.clone()),
            Some(line) => {
                line.answers = line.answers.saturating_add(spent.answers);
                line.usage = line.usage.plus(spent.usage);
                line.cost = match (line.cost, spent.cost) {
                    (Some(before), Some(more)) => Some(before.plus(more)),
                    (before, more) => before.or(more),
                };
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut both = self.clone();
        other.0.iter().for_each(|spent| both.add(spent));
        both
    }

    /// All tokens.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.iter().fold(Usage::default(), |sum, line| sum.plus(line.usage))
    }

    /// What is known of the cost: that of the models whose price is known.
    #[must_use]
    pub fn cost(&self) -> MicroDollars {
        self.0.iter().filter_map(|line| line.cost).fold(MicroDollars::default(), MicroDollars::plus)
    }

    /// The models that answered and whose price is not known, each once.
    #[must_use]
    pub fn unpriced(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.0.iter().filter(|line| line.cost.is_none()).map(|line| line.model.as_str()).collect();
        models.dedup();
        models
    }

    /// How many answers.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.0.iter().fold(0, |sum, line| sum.saturating_add(line.answers))
    }
}

#[cfg(test)]
mod tests;
