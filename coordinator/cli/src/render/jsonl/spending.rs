//! What a turn and its thread used, beside the usage that Codex's lines have.
//!
//! Amounts are told as texts in US dollars and as whole millionths: a number with a point would be read as one that cannot hold cents.

use capstan_types::history::Usage;
use capstan_types::money::{Bill, Spent};
use serde::Serialize;

/// What a turn and its thread used.
#[derive(Debug, Default, Serialize)]
pub(super) struct Spending {
    /// Whether the turn stopped at a budget, and another can go on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<Sum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<Sum>,
}

#[derive(Debug, Serialize)]
struct Sum {
    cost_usd: String,
    cost_micro_usd: u64,
    model_answers: u64,
    models: Vec<Line>,
    /// Models that the cost does not hold, because their price is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unpriced: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    provider: String,
    model: String,
    model_answers: u64,
    usage: Usage,
    cost_usd: Option<String>,
}

impl Spending {
    /// `None` when no model has answered.
    pub(super) fn of(turn: &Bill, thread: &Bill) -> Option<Box<Self>> {
        let spent = !thread.0.is_empty();
        spent.then(|| Box::new(Self { paused: false, turn: Some(Sum::of(turn)), thread: Some(Sum::of(thread)) }))
    }

    /// That of a turn that is paused.
    pub(super) fn paused(spending: Option<Box<Self>>) -> Box<Self> {
        Box::new(Self { paused: true, ..spending.map_or_else(Self::default, |spending| *spending) })
    }
}

impl Sum {
    fn of(bill: &Bill) -> Self {
        let line = |spent: &Spent| Line {
            provider: spent.provider.clone(),
            model: spent.model.clone(),
            model_answers: spent.answers,
            usage: spent.usage,
            cost_usd: spent.cost.map(|cost| cost.to_string()),
        };
        Self {
            cost_usd: bill.cost().to_string(),
            cost_micro_usd: bill.cost().0,
            model_answers: bill.answers(),
            models: bill.0.iter().map(line).collect(),
            unpriced: bill.unpriced().into_iter().map(str::to_owned).collect(),
        }
    }
}
