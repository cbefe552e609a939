//! Who waits for a provider, and who is next. Pure.

use super::pace::{Admission, Bounds, Opening, Outcome, Pace};
use super::quota::Quotas;
use std::collections::BTreeMap;
use std::time::Duration;

/// A place in the line; who came earlier has a smaller one, and keeps it until its step is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(u64);

/// What somebody who waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Begin.
    Go(Admission),
    /// Ask again when called, or at this moment.
    NotYet(Option<Duration>),
}

/// The line is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Those who wait for one provider.
#[derive(Debug)]
pub(crate) struct Line {
    pace: Pace,
    /// About how many tokens each wants.
    waiting: BTreeMap<Ticket, u64>,
    tickets: u64,
    most_waiting: usize,
}

impl Line {
    pub(crate) fn new(bounds: Bounds, most_waiting: usize) -> Self {
        Self { pace: Pace::new(bounds), waiting: BTreeMap::new(), tickets: 0, most_waiting }
    }

    /// Takes a place: a new one at the end, or again the one that a refused request had. Full: only who had a place gets one.
    pub(crate) fn join(&mut self, again: Option<Ticket>, tokens: u64) -> Result<Ticket, Full> {
        if again.is_none() && self.waiting.len() >= self.most_waiting {
            return Err(Full);
        }
        let ticket = again.unwrap_or_else(|| {
            self.tickets += 1;
            Ticket(self.tickets)
        });
        self.waiting.insert(ticket, tokens);
        Ok(ticket)
    }

    /// Whether it is this one's turn.
    pub(crate) fn ask(&mut self, ticket: Ticket, now: Duration) -> Answer {
        let Some((&first, &tokens)) = self.waiting.first_key_value() else { return Answer::NotYet(None) };
        if first != ticket {
            return Answer::NotYet(None);
        }
        match self.pace.opening(now, tokens) {
            Opening::Now => {
                self.waiting.pop_first();
                Answer::Go(self.pace.admit(tokens))
            }
            Opening::At(at) => Answer::NotYet(Some(at)),
            Opening::AfterAnEnd => Answer::NotYet(None),
        }
    }

    /// Gives a place up.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// Takes note of a request's end.
    pub(crate) fn settle(&mut self, admission: Admission, outcome: Outcome, quotas: Quotas, now: Duration) {
        self.pace.hear(quotas, now);
        self.pace.settle(admission, outcome, now);
    }

    /// Whose turn it is to ask.
    pub(crate) fn first(&self) -> Option<Ticket> {
        self.waiting.first_key_value().map(|(ticket, _)| *ticket)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Answers so far.
    pub(crate) const fn answers(&self) -> u64 {
        self.pace.answers()
    }

    /// How many requests may be under way.
    #[cfg(test)]
    pub(crate) const fn slots(&self) -> u64 {
        self.pace.slots()
    }
}
