//! What a thread's stored events say of it, and how a turn is ended that nobody lived to end. Pure.
//!
//! Invariant: the truth is told and no more. What the turn had done is stored; whether its last calls finished is not known.

use super::items::given_up;
use capstan_store::store::Record;
use capstan_types::call::{Call, CallEnd, Outcome};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{EventSeq, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What clients are told of a turn that was cut off.
pub const CUT_OFF: &str = "the coordinator ended while this turn ran: what the turn had done until then is stored, and the outcome of what it was doing is unknown";

/// What an item that was cut off is completed with.
const ITEM_CUT_OFF: &str = "the coordinator ended while it ran; its outcome is unknown";

/// What the model is told of a call that was cut off.
const CALL_CUT_OFF: &str = "The coordinator ended while this call ran. Its outcome is unknown: it may have done all, part or none of its work. Look before \
     doing it again.";

/// A thread as its stored events leave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recalled {
    /// The number of the last event. 0 is none.
    pub last: EventSeq,
    /// The number of the next item.
    pub next_item: u64,
    /// Tokens used, as the last completed turn counted them.
    pub usage: Usage,
    /// Every turn that began.
    pub turns: HashSet<TurnId>,
    /// The turn that has no end.
    pub unfinished: Option<TurnId>,
    open: BTreeMap<ItemId, ItemBody>,
}

impl Recalled {
    /// Takes note of the next stored event.
    pub fn add(&mut self, event: Event) {
        self.last = event.seq;
        match event.body {
            EventBody::TurnStarted => {
                self.unfinished = event.turn;
                self.turns.extend(event.turn);
            }
            EventBody::ItemStarted { item } | EventBody::ItemUpdated { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.open.insert(item.id, item.body);
            }
            EventBody::ItemCompleted { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.open.remove(&item.id);
            }
            EventBody::TurnCompleted { usage } => {
                self.usage = usage;
                self.unfinished = None;
            }
            EventBody::TurnFailed { .. } | EventBody::TurnInterrupted => self.unfinished = None,
            EventBody::ThreadStarted { .. }
            | EventBody::MessageDelta { .. }
            | EventBody::OutputDelta { .. }
            | EventBody::Notice { .. }
            | EventBody::TurnDiff { .. } => {}
        }
    }

    /// The records that end the unfinished turn, if there is one: its items, its calls with what the model is told of them, itself.
    /// `calls` are those without an end, `entries` the thread's history.
    #[must_use]
    pub fn ending(&self, calls: Vec<Call>, entries: &[Entry], at: UnixMillis) -> Vec<Record> {
        let Some(turn) = self.unfinished else { return Vec::new() };
        let completed = self
            .open
            .iter()
            .map(|(id, body)| EventBody::ItemCompleted { item: Item { id: *id, body: given_up(body.clone(), ITEM_CUT_OFF) } });
        let bodies = completed.chain([EventBody::TurnFailed { message: CUT_OFF.to_owned() }]);
        let events = (self.last.0 + 1..).map(EventSeq).zip(bodies);
        let events = events.map(|(seq, body)| Record::Event(Event { seq, at, turn: Some(turn), body }));
        let ends = calls.into_iter().map(|call| {
            let outcome = Outcome::Unknown { reason: ITEM_CUT_OFF.to_owned(), node: None, session: None };
            Record::CallEnded(CallEnd { call: call.id, outcome, output: CALL_CUT_OFF.to_owned(), ended_at: at })
        });
        let outputs = unanswered(entries).into_iter().map(|model_call_id| Record::Entry {
            turn,
            entry: Entry::CallOutput { model_call_id, output: CALL_CUT_OFF.to_owned() },
        });
        ends.chain(outputs).chain(events).collect()
    }
}

/// The calls of a history without an output, in order. Every provider refuses a history that has one.
fn unanswered(entries: &[Entry]) -> Vec<String> {
    let mut answered = BTreeSet::new();
    let mut open = Vec::new();
    for entry in entries.iter().rev() {
        match entry {
            Entry::CallOutput { model_call_id, .. } => {
                answered.insert(model_call_id.as_str());
            }
            Entry::Call { model_call_id, .. } if !answered.remove(model_call_id.as_str()) => open.push(model_call_id.clone()),
            Entry::Call { .. }
            | Entry::Developer { .. }
            | Entry::User { .. }
            | Entry::Assistant { .. }
            | Entry::Reasoning { .. } => {}
        }
    }
    open.reverse();
    open
}

#[cfg(test)]
mod tests;
