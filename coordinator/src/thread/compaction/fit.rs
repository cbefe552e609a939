//! Sees to it that a running turn's prompts fit.

use super::gauge::Gauge;
use super::limits::Limits;
use super::shorten::{NotShortened, Reason, Shortener};
use crate::thread::answerers::Answerers;
use capstan_model::{Prompt, size};
use capstan_types::history::{Entry, Usage};
use capstan_types::money::Spent;

/// How long a turn's prompt is, and what was done about it.
#[derive(Debug, Default)]
pub struct Fit {
    gauge: Gauge,
}

impl Fit {
    /// Takes note of an answer to the prompt of `bare` and `entries`, to which it added `answered` entries.
    pub fn hear(&mut self, usage: Usage, bare: &Prompt, entries: &[Entry], answered: usize) {
        let estimate = size::overhead(bare) + entries.iter().map(size::entry).sum::<u64>();
        self.gauge.hear(usage, estimate, entries.len() + answered);
    }

    /// Shortens a prompt that fills the window, and gives what that used.
    ///
    /// # Errors
    /// See [`NotShortened`]; a prompt that cannot become shorter is none, since the provider has the last word on whether it fits.
    pub async fn if_full(
        &mut self,
        shortener: &Shortener<'_>,
        bare: &Prompt,
        entries: &mut Vec<Entry>,
        answerers: &Answerers,
    ) -> Result<Option<Spent>, NotShortened> {
        if answerers.is_scripted() {
            return Ok(None);
        }
        let full = Limits::of(&shortener.context.settings, answerers.model()).full;
        let tokens = shortener.measure(bare, entries, &self.gauge, answerers).await;
        if !self.gauge.is_full(tokens, full) {
            return Ok(None);
        }
        match self.shorten(shortener, bare, entries, answerers, tokens, Reason::Full).await {
            Err(NotShortened::Nothing) => Ok(None),
            other => other,
        }
    }

    /// Shortens a prompt, and gives what that used.
    ///
    /// # Errors
    /// See [`NotShortened`].
    pub async fn now(
        &mut self,
        shortener: &Shortener<'_>,
        bare: &Prompt,
        entries: &mut Vec<Entry>,
        answerers: &Answerers,
        reason: Reason,
    ) -> Result<Option<Spent>, NotShortened> {
        let tokens = shortener.measure(bare, entries, &self.gauge, answerers).await;
        self.shorten(shortener, bare, entries, answerers, tokens, reason).await
    }

    async fn shorten(
        &mut self,
        shortener: &Shortener<'_>,
        bare: &Prompt,
        entries: &mut Vec<Entry>,
        answerers: &Answerers,
        tokens: u64,
        reason: Reason,
    ) -> Result<Option<Spent>, NotShortened> {
        let (after, spent) = shortener.shorten(bare, entries, tokens, reason, answerers).await?;
        self.gauge.shortened(after);
        Ok(spent)
    }
}
