//! Where steps wait for their turn at a provider: the line's rim, with a clock and sleepers.

use super::line::{Answer, Line, Ticket};
use super::pace::{Admission, Bounds, Outcome};
use super::quota::Quotas;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Why a step does not get a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// So many wait already.
    Full(usize),
    /// Its turn did not come in time.
    TooLate,
}

/// The way to one provider.
#[derive(Debug)]
pub(crate) struct Gate {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    line: Line,
    bells: HashMap<Ticket, Arc<Notify>>,
}

/// Leave to ask the provider once. Dropped without a word, it says nothing about the provider.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    admission: Admission,
    answers_before: u64,
    outcome: Outcome,
    quotas: Quotas,
    /// Where to wait again.
    pub(crate) ticket: Ticket,
}

/// Somebody who waits; dropped, the place is free.
struct Waiting<'a> {
    gate: &'a Gate,
    ticket: Ticket,
}

impl Gate {
    pub(crate) fn new(bounds: Bounds, most_waiting: usize) -> Arc<Self> {
        let state = State { line: Line::new(bounds, most_waiting), bells: HashMap::new() };
        Arc::new(Self { began: Instant::now(), state: Mutex::new(state) })
    }

    /// Waits for leave to send a request of about so many tokens, at the place of `again` if there is one. Dropping the future leaves
    /// the line.
    ///
    /// # Errors
    /// The line is full, or the turn has not come by the deadline.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        again: Option<Ticket>,
        tokens: u64,
        deadline: Instant,
    ) -> Result<Permit, NoPlace> {
        let bell = Arc::new(Notify::new());
        let waiting = self.join(again, tokens, &bell)?;
        loop {
            let at = {
                let mut state = self.state();
                match state.line.ask(waiting.ticket, self.began.elapsed()) {
                    Answer::Go(admission) => {
                        let answers_before = state.line.answers();
                        let ticket = waiting.ticket;
                        drop(state);
                        // Which calls the next one, too.
                        drop(waiting);
                        let gate = Arc::clone(self);
                        return Ok(Permit {
                            gate,
                            admission,
                            answers_before,
                            outcome: Outcome::Other,
                            quotas: Quotas::default(),
                            ticket,
                        });
                    }
                    Answer::NotYet(at) => at,
                }
            };
            let look = at.map_or(deadline, |at| deadline.min(self.began + at));
            tokio::select! {
                () = bell.notified() => {}
                () = sleep_until(look) => {}
            }
            if Instant::now() >= deadline {
                return Err(NoPlace::TooLate);
            }
        }
    }

    fn join(&self, again: Option<Ticket>, tokens: u64, bell: &Arc<Notify>) -> Result<Waiting<'_>, NoPlace> {
        let mut state = self.state();
        let ticket = state.line.join(again, tokens).map_err(|_| NoPlace::Full(state.line.waiting()))?;
        state.bells.insert(ticket, Arc::clone(bell));
        Ok(Waiting { gate: self, ticket })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in it panics halfway; and a step must not fail because another did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Calls whoever is first now. One who is called for nothing asks and waits on.
    fn call(&self) {
        if let Some(bell) = self.line.first().and_then(|first| self.bells.get(&first)) {
            bell.notify_one();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.line.leave(self.ticket);
        state.bells.remove(&self.ticket);
        state.call();
    }
}

impl Permit {
    /// A whole answer came.
    pub(crate) const fn answered(&mut self) {
        self.outcome = Outcome::Answered;
    }

    /// The provider refused because it is too much. Gives whether it answered others meanwhile: it is busy then, and not closed.
    pub(crate) fn refused(&mut self, wait: Option<Duration>, quotas: Quotas) -> bool {
        (self.outcome, self.quotas) = (Outcome::Refused { wait }, quotas);
        self.gate.state().line.answers() > self.answers_before
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.gate.began.elapsed();
        let mut state = self.gate.state();
        state.line.settle(self.admission, self.outcome, self.quotas, now);
        state.call();
    }
}
