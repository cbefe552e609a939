//! How a turn begins: asked for by somebody, or gone on with after its coordinator's death; and what it has from there.

use super::context::TurnContext;
use super::context::overrides::{self, Resolved};
use super::continued::Unfinished;
use super::items::TurnItems;
use super::tally::Tally;
use capstan_tools::plan::PlanState;
use capstan_types::budget::Budgets;
use capstan_types::item::ItemBody;
use capstan_types::thread::TurnInput;
use std::sync::Arc;

/// How a turn begins.
#[derive(Debug)]
pub enum Begin {
    /// Somebody has asked for it.
    New(Box<TurnInput>),
    /// Another coordinator began it.
    Again(Box<Unfinished>),
}

impl Begin {
    /// What it runs with that is not the thread's: settings, if it changes them, or why it cannot run with them.
    pub(super) async fn resolve(&self, context: &TurnContext) -> (Option<Arc<TurnContext>>, Option<String>) {
        match self {
            Self::Again(unfinished) => (None, unfinished.cut.refused.clone()),
            Self::New(input) => match overrides::resolve(context, &input.overrides).await {
                Resolved::Same => (None, None),
                Resolved::Changed(changed) => (Some(changed), None),
                Resolved::Refused(reason) => (None, Some(reason)),
            },
        }
    }

    pub(super) fn budgets(&self) -> Option<Budgets> {
        match self {
            Self::New(input) => input.budgets,
            Self::Again(unfinished) => unfinished.cut.budgets,
        }
    }

    pub(super) fn output_schema(&self) -> Option<serde_json::Value> {
        match self {
            Self::New(input) => input.output_schema.clone(),
            Self::Again(unfinished) => unfinished.cut.output_schema.clone(),
        }
    }

    /// Whether it does nothing but shorten the conversation.
    pub(super) fn compact(&self) -> bool {
        match self {
            Self::New(input) => input.compact,
            Self::Again(unfinished) => unfinished.cut.compact,
        }
    }

    /// What another coordinator has used for it.
    pub(super) fn spent(&self) -> Tally {
        match self {
            Self::New(_) => Tally::default(),
            Self::Again(unfinished) => unfinished.cut.spent.clone(),
        }
    }

    /// The plan that it shows.
    pub(super) fn plan(&self) -> PlanState {
        let Self::Again(unfinished) = self else { return PlanState::default() };
        let plan = unfinished.open.iter().find_map(|(id, body)| match body {
            ItemBody::TodoList { steps } => Some((*id, steps.clone())),
            _ => None,
        });
        plan.map_or_else(PlanState::default, |(id, steps)| PlanState::again(id, steps))
    }

    pub(super) fn items(&self, fresh: TurnItems) -> TurnItems {
        match self {
            Self::New(_) => fresh,
            Self::Again(unfinished) => fresh.going_on(unfinished.open.clone(), unfinished.cut.items.clone()),
        }
    }
}
