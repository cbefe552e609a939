//! What threads did since the process started: turns, calls, answers of models, and the time that storing took.
//!
//! All of it is counted where it is stored, so that a figure never tells of what did not happen.

use capstan_store::store::Record;
use capstan_types::call::Outcome;
use capstan_types::event::EventBody;
use capstan_types::money::{MicroDollars, Spent};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::LazyLock;
use std::time::Duration;

static TURNS: LazyLock<Counter> = LazyLock::new(Counter::default);
static TURN_ENDS: LazyLock<Family<TurnEnded, Counter>> = LazyLock::new(Family::default);
static CALLS: LazyLock<Counter> = LazyLock::new(Counter::default);
static CALL_ENDS: LazyLock<Family<CallEnded, Counter>> = LazyLock::new(Family::default);
static ANSWERS: LazyLock<Counter> = LazyLock::new(Counter::default);
static TOKENS: LazyLock<Family<Tokens, Counter>> = LazyLock::new(Family::default);
static COST: LazyLock<Counter<f64, std::sync::atomic::AtomicU64>> = LazyLock::new(Counter::default);
static STORING: LazyLock<Histogram> = LazyLock::new(|| Histogram::new(exponential_buckets(0.000_1, 2.0, 16)));
static NOT_STORED: LazyLock<Counter> = LazyLock::new(Counter::default);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnEnded {
    end: TurnEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum TurnEnd {
    Completed,
    Paused,
    Failed,
    Interrupted,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallEnded {
    outcome: CallEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum CallEnd {
    Finished,
    NotStarted,
    Declined,
    Cancelled,
    Unknown,
    Yielded,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    kind: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum TokenKind {
    Input,
    CachedInput,
    Output,
}

/// Registers these families.
pub fn register(registry: &mut Registry) {
    registry.register("turns_started", "Turns that began", TURNS.clone());
    registry.register("turns_ended", "Turns that ended, by how", TURN_ENDS.clone());
    registry.register("calls_asked", "Tool calls that models asked for", CALLS.clone());
    registry.register("calls_ended", "Tool calls that ended, by their outcome", CALL_ENDS.clone());
    registry.register("model_answers", "Answers of models that were stored", ANSWERS.clone());
    registry.register(
        "model_tokens",
        "Tokens of those answers and their prompts; cached ones are counted in both kinds of input",
        TOKENS.clone(),
    );
    registry.register("model_cost_usd", "What those answers cost, as far as prices are known", COST.clone());
    registry.register_with_unit(
        "store_append",
        "How long an append to a thread took to be stored",
        Unit::Seconds,
        STORING.clone(),
    );
    registry.register("store_append_failures", "Appends to threads that were not stored", NOT_STORED.clone());
}

/// What is to be counted once it is stored: the store takes the records themselves.
#[derive(Debug, Default)]
pub(super) struct Counted {
    turns: u64,
    calls: u64,
    turn_ends: Vec<TurnEnd>,
    call_ends: Vec<CallEnd>,
    spent: Vec<Spent>,
}

/// An append was not stored.
pub(super) fn not_stored() {
    NOT_STORED.inc();
}

impl Counted {
    /// What these records will add.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut counted = Self::default();
        for record in records {
            match record {
                Record::CallAsked(_) => counted.calls += 1,
                Record::CallEnded(end) => counted.call_ends.push(outcome(&end.outcome)),
                Record::Event(event) => counted.event(&event.body),
                _ => {}
            }
        }
        counted
    }

    fn event(&mut self, body: &EventBody) {
        match body {
            EventBody::TurnStarted => self.turns += 1,
            EventBody::TurnCompleted { .. } => self.turn_ends.push(TurnEnd::Completed),
            EventBody::TurnPaused { .. } => self.turn_ends.push(TurnEnd::Paused),
            EventBody::TurnFailed { .. } => self.turn_ends.push(TurnEnd::Failed),
            EventBody::TurnInterrupted => self.turn_ends.push(TurnEnd::Interrupted),
            EventBody::ModelAnswered { spent } => self.spent.push(spent.clone()),
            _ => {}
        }
    }

    /// They were stored after so long.
    pub(super) fn stored(self, took: Duration) {
        STORING.observe(took.as_secs_f64());
        TURNS.inc_by(self.turns);
        CALLS.inc_by(self.calls);
        for end in self.turn_ends {
            TURN_ENDS.get_or_create(&TurnEnded { end }).inc();
        }
        for outcome in self.call_ends {
            CALL_ENDS.get_or_create(&CallEnded { outcome }).inc();
        }
        self.spent.iter().for_each(answered);
    }
}

fn answered(spent: &Spent) {
    ANSWERS.inc_by(spent.answers);
    let usage = &spent.usage;
    for (kind, tokens) in [
        (TokenKind::Input, usage.input_tokens),
        (TokenKind::CachedInput, usage.cached_input_tokens),
        (TokenKind::Output, usage.output_tokens),
    ] {
        TOKENS.get_or_create(&Tokens { kind }).inc_by(tokens);
    }
    if let Some(cost) = spent.cost {
        COST.inc_by(cost.0 as f64 / MicroDollars::DOLLAR.0 as f64);
    }
}

const fn outcome(outcome: &Outcome) -> CallEnd {
    match outcome {
        Outcome::Finished { .. } => CallEnd::Finished,
        Outcome::NotStarted { .. } => CallEnd::NotStarted,
        Outcome::Declined { .. } => CallEnd::Declined,
        Outcome::Cancelled => CallEnd::Cancelled,
        Outcome::Unknown { .. } => CallEnd::Unknown,
        Outcome::Yielded { .. } => CallEnd::Yielded,
    }
}
