//! Who answers in a turn: the thread's model, and when that cannot, the models after it.
//!
//! Invariant: a turn never goes back. A model that could not answer would most often fail again, after all its retries.

use super::context::TurnContext;
use crate::models::{Models, NoModel};
use capstan_model::{ModelClient, ModelError, Prompt};
use capstan_types::history::Usage;
use capstan_types::money::{Price, Spent};
use capstan_types::thread::ModelChoice;
use std::collections::VecDeque;
use std::sync::Arc;

/// The provider that a script stands for.
const SCRIPT: &str = "script";

/// Who answers in a turn.
#[derive(Debug)]
pub struct Answerers {
    models: Arc<dyn Models>,
    client: Arc<dyn ModelClient>,
    now: ModelChoice,
    /// For the models of the thread's own provider only: another may not know the word.
    effort: Option<String>,
    own_provider: String,
    next: VecDeque<ModelChoice>,
}

impl Answerers {
    /// The thread's model first.
    ///
    /// # Errors
    /// It cannot be had at all.
    pub fn of(context: &TurnContext) -> Result<Self, NoModel> {
        let settings = &context.settings;
        Ok(Self {
            models: Arc::clone(&context.models),
            client: context.models.client(&settings.provider)?,
            now: ModelChoice { model: settings.model.clone(), provider: settings.provider.clone() },
            effort: settings.effort.clone(),
            own_provider: settings.provider.clone(),
            next: settings.fallbacks.iter().cloned().collect(),
        })
    }

    /// Whom to ask now, and the prompt as it is put to them.
    #[must_use]
    pub fn ask(&self, prompt: &Prompt) -> (Arc<dyn ModelClient>, Prompt) {
        let effort = self.effort.clone().filter(|_| self.now.provider == self.own_provider);
        (Arc::clone(&self.client), Prompt { model: self.now.model.clone(), effort, ..prompt.clone() })
    }

    /// Goes on to the next model after an error, and says so; `None` if there is none, or it would not help.
    pub fn fall_back(&mut self, error: &ModelError) -> Option<String> {
        if !error.another_may_answer() {
            return None;
        }
        let mut passed = String::new();
        while let Some(choice) = self.next.pop_front() {
            match self.models.client(&choice.provider) {
                Ok(client) => {
                    let said = format!(
                        "{} cannot answer ({error}){passed}; {} answers for the rest of the turn",
                        shown(&self.now),
                        shown(&choice)
                    );
                    (self.client, self.now) = (client, choice);
                    return Some(said);
                }
                Err(reason) => passed = format!("{passed}, nor can {} ({reason})", shown(&choice)),
            }
        }
        None
    }

    /// The model that answers now.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.now.model
    }

    /// Whether a script answers, which counts its steps by the conversation.
    #[must_use]
    pub fn is_scripted(&self) -> bool {
        self.models.provider(&self.now.provider) == SCRIPT
    }

    /// What it costs, if that is known.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        self.models.price(self.models.provider(&self.now.provider), &self.now.model)
    }

    /// What an answer of it used.
    #[must_use]
    pub fn spent(&self, usage: Usage) -> Spent {
        let provider = self.models.provider(&self.now.provider).to_owned();
        Spent { provider, model: self.now.model.clone(), answers: 1, usage, cost: self.price().map(|price| price.of(&usage)) }
    }
}

fn shown(choice: &ModelChoice) -> String {
    format!("{} of {}", choice.model, choice.provider)
}
