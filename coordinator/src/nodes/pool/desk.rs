//! Where nodes are given out: who asks is placed, or waits in line until something is given back.
//!
//! Invariants: a choice and its reservation are one step, so no room is promised twice; what is given back is what was given, so a late goodbye of an
//! older owner of a thread takes nothing from a newer one; and whoever waits is answered, at the latest when its time is over.

use crate::placement::choose::{choose_beside, usable};
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use crate::placement::queue::{Queue, Waiting};
use crate::placement::view::View;
use capstan_types::id::ThreadId;
use capstan_types::placement::Choice;
use ractor::RpcReplyPort;
use roaring::RoaringBitmap;
use std::collections::HashMap;
use std::time::Duration;

/// How long somebody waits for room.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

/// How many of those who wait are looked at when something was given back.
const LOOKED_AT: usize = 64;

/// How many of the first in line keep the nodes that would do for them, once they have waited for [`KEEPS_AFTER`]: or smaller needs behind them, which
/// find room sooner, would always be before them.
const KEEPERS: usize = 8;

/// How long one waits before nodes are kept.
const KEEPS_AFTER: Duration = Duration::from_secs(5);

/// Proof of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// How somebody waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InLine {
    /// How many are served before it.
    pub before: usize,
    /// How many wait at all.
    pub waiting: usize,
    /// For how long it has waited.
    pub waited: Duration,
    /// Why there is no room, for people.
    pub reason: String,
}

/// A node that was chosen and reserved.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) thread: ThreadId,
    pub(super) choice: Choice,
    pub(super) ticket: Ticket,
}

/// What is answered.
pub(super) type Answer = Result<Given, NoPlace>;

/// The desk. `R` is the way back to whoever asks.
#[derive(Debug)]
pub(super) struct Desk<R> {
    pub(super) view: View,
    tickets: HashMap<ThreadId, Ticket>,
    last: u64,
    queue: Queue,
    waiting: HashMap<ThreadId, (Need, R)>,
}

/// A way back.
pub(super) trait Asker {
    /// Whether nobody waits for the answer any more.
    fn is_gone(&self) -> bool;
}

impl<T> Asker for RpcReplyPort<T> {
    fn is_gone(&self) -> bool {
        self.is_closed()
    }
}

impl<R> Default for Desk<R> {
    fn default() -> Self {
        Self { view: View::default(), tickets: HashMap::new(), last: 0, queue: Queue::default(), waiting: HashMap::new() }
    }
}

impl<R: Asker> Desk<R> {
    /// Gives a node, or lets somebody wait. Gives the way back with the answer, when there is one.
    pub(super) fn ask(&mut self, thread: ThreadId, need: Need, asker: R, now: Duration) -> Option<(R, Answer)> {
        // Those who wait were there before.
        if self.queue.is_empty() || matches!(need.wanted, Wanted::Held(_)) {
            match self.give(thread, &need, &RoaringBitmap::new()) {
                Err(full) if full.may_pass() => {}
                answer => return Some((asker, answer)),
            }
        }
        let owner = need.batch.clone().unwrap_or_default();
        let waiting = Waiting { workspace: thread, owner, priority: need.priority, since: now, until: now + PATIENCE };
        if let Err(error) = self.queue.join(waiting) {
            return Some((asker, Err(NoPlace::Crowded(error))));
        }
        // One who asks again under the same name waits in the place of the first.
        self.waiting.insert(thread, (need, asker));
        None
    }

    /// Gives nodes to those who wait and can have one.
    pub(super) fn serve(&mut self, now: Duration) -> Vec<(R, Answer)> {
        let (mut served, mut kept) = (Vec::new(), RoaringBitmap::new());
        for (seat, thread) in self.queue.order(now).into_iter().take(LOOKED_AT).enumerate() {
            let Some((need, asker)) = self.waiting.remove(&thread) else { continue };
            if asker.is_gone() {
                self.queue.leave(thread);
                continue;
            }
            match self.give(thread, &need, &kept) {
                Err(full) if full.may_pass_for_who_waits() => {
                    let waited = self.queue.waited(thread, now);
                    if seat < KEEPERS && waited >= KEEPS_AFTER {
                        kept |= usable(&self.view, &need);
                    }
                    self.waiting.insert(thread, (need, asker));
                }
                Ok(given) => {
                    self.queue.served(thread);
                    served.push((asker, Ok(given)));
                }
                Err(error) => {
                    self.queue.leave(thread);
                    served.push((asker, Err(error)));
                }
            }
        }
        served
    }

    /// Those whose time is over, with what they are told.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<(R, Answer)> {
        let line = self.queue.order(now);
        let over = self.queue.expired(now);
        let answers = over.into_iter().filter_map(|one| {
            let (need, asker) = self.waiting.remove(&one.workspace)?;
            let before = line.iter().position(|other| *other == one.workspace).unwrap_or(0);
            let full = choose_beside(&self.view, &need, &RoaringBitmap::new()).err().unwrap_or(NoPlace::NoNodes);
            let waited = now.saturating_sub(one.since).as_secs();
            Some((asker, Err(NoPlace::Waited { waited, before, waiting: line.len(), full: Box::new(full) })))
        });
        answers.collect()
    }

    /// Gives back what a ticket stands for. Whether anything was given back.
    pub(super) fn give_back(&mut self, thread: ThreadId, ticket: Ticket) -> bool {
        let held = self.tickets.get(&thread) == Some(&ticket);
        if held {
            self.tickets.remove(&thread);
            self.view.give_back(thread);
        }
        held
    }

    /// How somebody waits, if it does.
    pub(super) fn in_line(&self, thread: ThreadId, now: Duration) -> Option<InLine> {
        let (need, _) = self.waiting.get(&thread)?;
        let (before, waiting) = self.queue.position(thread, now)?;
        let full = choose_beside(&self.view, need, &RoaringBitmap::new()).err();
        let reason = full.map_or_else(|| "others are before it".to_owned(), |full| full.to_string());
        Some(InLine { before, waiting, waited: self.queue.waited(thread, now), reason })
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn give(&mut self, thread: ThreadId, need: &Need, kept: &RoaringBitmap) -> Answer {
        let choice = choose_beside(&self.view, need, kept)?;
        let batch = need.batch.as_deref();
        match &need.wanted {
            Wanted::Held(_) => self.view.hold(thread, &choice.node, &need.resources, batch),
            Wanted::Any | Wanted::Named(_) => {
                // A thread whose beginning failed and is repeated may hold a place elsewhere.
                self.view.give_back(thread);
                let reserved = self.view.reserve(thread, &choice.node, &need.resources, batch);
                reserved.map_err(|_| NoPlace::Full { nodes: choice.nodes, rejected: choice.rejected.clone() })?;
            }
        }
        self.last += 1;
        let ticket = Ticket(self.last);
        self.tickets.insert(thread, ticket);
        Ok(Given { thread, choice, ticket })
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
