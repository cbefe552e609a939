//! Models to choose from, what they used, and what may be used.

use super::{Malformed, nonempty};
use crate::wire::client as wire;
use capstan_types::budget::{Budget, Budgets};
use capstan_types::money::{Bill, MicroDollars, Spent};
use capstan_types::thread::ModelChoice;
use capstan_types::time::Millis;

/// The most models that are asked in the place of a thread's own.
pub const MOST_FALLBACKS: usize = 16;

impl From<ModelChoice> for wire::ModelChoice {
    fn from(choice: ModelChoice) -> Self {
        Self { model: choice.model, provider: choice.provider }
    }
}

/// The models that are asked in the place of a thread's own.
///
/// # Errors
/// One without a name, or too many.
pub(super) fn fallbacks(wire: Vec<wire::ModelChoice>) -> Result<Vec<ModelChoice>, Malformed> {
    if wire.len() > MOST_FALLBACKS {
        return Err(Malformed::new("settings.fallbacks", format!("there are {}; at most {MOST_FALLBACKS}", wire.len())));
    }
    let choice = |choice: wire::ModelChoice| {
        Ok(ModelChoice {
            model: nonempty(choice.model).ok_or_else(|| Malformed::missing("settings.fallbacks.model"))?,
            provider: nonempty(choice.provider).ok_or_else(|| Malformed::missing("settings.fallbacks.provider"))?,
        })
    };
    wire.into_iter().map(choice).collect()
}

impl From<Spent> for wire::Spent {
    fn from(spent: Spent) -> Self {
        Self {
            provider: spent.provider,
            model: spent.model,
            answers: spent.answers,
            usage: Some(spent.usage.into()),
            micro_usd: spent.cost.map(|cost| cost.0),
        }
    }
}

impl From<wire::Spent> for Spent {
    fn from(wire: wire::Spent) -> Self {
        Self {
            provider: wire.provider,
            model: wire.model,
            answers: wire.answers,
            usage: wire.usage.unwrap_or_default().into(),
            cost: wire.micro_usd.map(MicroDollars),
        }
    }
}

pub(super) fn lines(bill: Bill) -> Vec<wire::Spent> {
    bill.0.into_iter().map(Into::into).collect()
}

pub(super) fn bill(lines: Vec<wire::Spent>) -> Bill {
    Bill(lines.into_iter().map(Into::into).collect())
}

impl From<Budget> for wire::Budget {
    fn from(budget: Budget) -> Self {
        Self {
            micro_usd: budget.cost.map(|cost| cost.0),
            tokens: budget.tokens,
            steps: budget.steps,
            time_ms: budget.time.map(|time| time.0),
        }
    }
}

impl From<wire::Budget> for Budget {
    fn from(wire: wire::Budget) -> Self {
        Self { cost: wire.micro_usd.map(MicroDollars), tokens: wire.tokens, steps: wire.steps, time: wire.time_ms.map(Millis) }
    }
}

impl From<Budgets> for wire::Budgets {
    fn from(budgets: Budgets) -> Self {
        Self { turn: Some(budgets.turn.into()), thread: Some(budgets.thread.into()) }
    }
}

impl From<wire::Budgets> for Budgets {
    fn from(wire: wire::Budgets) -> Self {
        Self { turn: wire.turn.unwrap_or_default().into(), thread: wire.thread.unwrap_or_default().into() }
    }
}
