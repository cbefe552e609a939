//! Shortens the conversation of a running turn.
//!
//! Nothing is stored before all of it is known, and then all at once: what the model is shown instead, the item that tells so, and what the
//! summary used. A model that gives no summary holds nobody up: the last of what was done stands for it.

use super::choice::{Choice, Room, choose};
use super::gauge::Gauge;
use super::limits::Limits;
use super::{summary, words};
use crate::thread::answerers::Answerers;
use crate::thread::context::TurnContext;
use crate::thread::context::news::{self, is_news};
use crate::thread::items::TurnItems;
use crate::thread::log::{Draft, LogError};
use crate::thread::step::TurnStop;
use capstan_model::{Prompt, size, tokenizer};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::item::{Compaction, Item, ItemBody};
use capstan_types::money::Spent;
use capstan_types::thread::ThreadCost;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Why a conversation is shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It fills the window.
    Full,
    /// The provider said that it is too long.
    Overflow,
    /// Somebody asked for it.
    Asked,
}

/// Why it was not shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotShortened {
    /// The turn is interrupted.
    #[error("the turn was interrupted")]
    Interrupted,
    /// There is nothing that could be left out.
    #[error("there is nothing in it that could be left out")]
    Nothing,
    /// It could not be stored.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<NotShortened> for TurnStop {
    fn from(reason: NotShortened) -> Self {
        match reason {
            NotShortened::Interrupted => Self::Interrupted,
            NotShortened::Nothing => Self::Failed(too_long(&reason.to_string())),
            NotShortened::Log(error) => error.into(),
        }
    }
}

/// What the user is told of a conversation that does not fit; `said` is why not.
#[must_use]
pub fn too_long(said: &str) -> String {
    format!(
        "the conversation is longer than the model's context window, also when it is shortened ({said}); ask for less at a time, use a model \
         with a larger window, or set model_context_window in config.toml to what the provider takes"
    )
}

/// Shortens conversations for one turn.
#[derive(Debug)]
pub struct Shortener<'a> {
    /// The thread.
    pub context: &'a Arc<TurnContext>,
    /// The turn.
    pub turn: TurnId,
    /// Its items.
    pub items: &'a TurnItems,
    /// Cancelled to interrupt it.
    pub interrupt: &'a CancellationToken,
}

impl Shortener<'_> {
    /// The tokens of a prompt as it would be sent. Close to the end of the window they are counted, where the model's tokenizer is known.
    pub async fn measure(&self, prompt: &Prompt, entries: &[Entry], gauge: &Gauge, answerers: &Answerers) -> u64 {
        let (overhead, added) = (size::overhead(prompt), entries.get(gauge.known()..).unwrap_or_default());
        let estimate = gauge.tokens(overhead, added.iter().map(size::entry).sum(), false);
        let full = Limits::of(&self.context.settings, answerers.model()).full;
        // An estimate that is wrong by half decides nothing wrong here.
        if estimate < full / 2 || !tokenizer::knows(answerers.model()) {
            return estimate;
        }
        let added = added.to_vec();
        let counted = tokio::task::spawn_blocking(move || -> u64 {
            added.iter().map(|entry| size::of_entry(entry, &tokenizer::count)).sum()
        });
        counted.await.map_or(estimate, |added| gauge.tokens(overhead, added, true))
    }

    /// Shortens `entries`, of which a prompt has `before` tokens, and gives what the summary used.
    ///
    /// # Errors
    /// [`NotShortened`]; the entries are as they were.
    pub async fn shorten(
        &self,
        prompt: &Prompt,
        entries: &mut Vec<Entry>,
        before: u64,
        reason: Reason,
        answerers: &Answerers,
    ) -> Result<(u64, Option<Spent>), NotShortened> {
        let limits = Limits::of(&self.context.settings, answerers.model());
        // Who asks for it wants it short, and a provider that refused may have a smaller window than is known.
        let recent = if reason == Reason::Full { limits.recent } else { 0 };
        let said = if reason == Reason::Overflow { limits.said / 2 } else { limits.said };
        let choice = choose(entries, Room { said, recent }, is_news, size::entry);
        if choice.dropped.is_empty() {
            return Err(NotShortened::Nothing);
        }
        let most = match reason {
            Reason::Full | Reason::Asked => limits.full / 4 * 3,
            // Half of what did not fit: an estimate that was wrong by half is right again.
            Reason::Overflow => limits.full.min(before) / 2,
        };
        let (text, spent) = self.sum_up(&choice, most, answerers).await?;
        let news = news::gather(self.context, &[], self.interrupt).await.entries;
        if self.interrupt.is_cancelled() {
            return Err(NotShortened::Interrupted);
        }
        let summed_up = text.is_some();
        let text = text.unwrap_or_else(|| words::without_model(&choice.dropped));
        let told = words::summary(&text, &choice.dropped, &self.context.sessions.list());
        let history: Vec<Entry> = news.into_iter().chain(choice.said).chain([told]).chain(choice.recent).collect();
        let after = size::overhead(prompt) + history.iter().map(size::entry).sum::<u64>();
        let compaction = Compaction { before_tokens: before, after_tokens: after, summed_up };
        self.store(&history, compaction, spent.clone()).await?;
        *entries = history;
        Ok((after, spent))
    }

    async fn sum_up(
        &self,
        choice: &Choice,
        most: u64,
        answerers: &Answerers,
    ) -> Result<(Option<String>, Option<Spent>), NotShortened> {
        let transcript = words::transcript(&choice.dropped, most);
        let key = format!("{}-summary", self.context.thread);
        match summary::ask(answerers, transcript, key, self.interrupt).await {
            Ok(Some(summary)) => Ok((summary.text, Some(answerers.spent(summary.usage)))),
            Ok(None) => Err(NotShortened::Interrupted),
            Err(error) => {
                tracing::warn!(thread = %self.context.thread, %error, "no summary could be had of a conversation that is too long");
                Ok((None, None))
            }
        }
    }

    async fn store(&self, history: &[Entry], compaction: Compaction, spent: Option<Spent>) -> Result<(), LogError> {
        let event = |body| Draft::Event(Some(self.turn), body);
        let item = Item { id: self.items.number(), body: ItemBody::Compaction(compaction) };
        let mut drafts = Vec::new();
        if let Some(spent) = spent {
            let cost = ThreadCost { usage: spent.usage, micro_usd: spent.cost.unwrap_or_default().0 };
            drafts.extend([event(EventBody::ModelAnswered { spent }), Draft::Cost(cost)]);
        }
        drafts.push(Draft::Entry(self.turn, Entry::Compacted { history: history.to_vec() }));
        drafts.push(event(EventBody::ItemCompleted { item }));
        self.context.log.record(drafts).await
    }
}
