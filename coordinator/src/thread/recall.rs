//! What a thread's stored events say of it, and how a turn is ended that nobody lived to end. Pure.
//!
//! Invariant: the truth is told and no more. What the turn had done is stored; whether its last calls finished is not known.

use super::items::given_up;
use super::tally::Tally;
use capstan_store::store::Record;
use capstan_types::call::{Call, CallEnd, Outcome};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{CallId, EventSeq, SessionId, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::session::known::{KnownSession, KnownSessions, SessionChange};
use capstan_types::thread::ThreadSettings;
use capstan_types::time::{Millis, UnixMillis};
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
    /// What was used.
    pub tally: Tally,
    /// Every turn that began.
    pub turns: HashSet<TurnId>,
    /// The turn that has no end.
    pub unfinished: Option<TurnId>,
    /// What the thread runs with, if a turn has changed it since the thread began.
    pub settings: Option<Box<ThreadSettings>>,
    /// The sessions that the model knows of.
    pub sessions: KnownSessions,
    /// Every session that it ever knew of.
    pub ever: HashSet<SessionId>,
    /// Commands that were cut off before it was stored whether they have a session, by their calls.
    pub cut_off: BTreeMap<CallId, CutOff>,
    open: BTreeMap<ItemId, ItemBody>,
    began: UnixMillis,
}

/// A command of which it is not stored whether it has a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// Its turn.
    pub turn: TurnId,
    /// Its item.
    pub item: ItemId,
    /// The command line.
    pub command: String,
}

impl Recalled {
    /// Takes note of the next stored event.
    pub fn add(&mut self, event: Event) {
        self.last = event.seq;
        match event.body {
            EventBody::TurnStarted => {
                self.unfinished = event.turn;
                self.began = event.at;
                self.turns.extend(event.turn);
            }
            EventBody::SettingsChanged { settings } => self.settings = Some(settings),
            EventBody::ItemStarted { item } | EventBody::ItemUpdated { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.begin(event.turn, &item);
                self.open.insert(item.id, item.body);
            }
            EventBody::ItemCompleted { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.open.remove(&item.id);
                // One that its coordinator did not live to complete may have a session all the same.
                if let ItemBody::CommandExecution(command) = &item.body
                    && command.reason.as_deref() != Some(ITEM_CUT_OFF)
                {
                    self.cut_off.remove(&command.call);
                }
            }
            EventBody::ModelAnswered { spent } => self.tally.add(&spent),
            EventBody::TurnCompleted { usage } => {
                // Threads of earlier releases have no other count.
                self.tally.usage = usage;
                self.end(event.at);
            }
            EventBody::TurnPaused { .. } | EventBody::TurnFailed { .. } | EventBody::TurnInterrupted => self.end(event.at),
            EventBody::SessionChanged { change } => self.change(&change),
            EventBody::ThreadStarted { .. }
            | EventBody::MessageDelta { .. }
            | EventBody::OutputDelta { .. }
            | EventBody::Notice { .. }
            | EventBody::TurnBilled { .. }
            | EventBody::TurnDiff { .. } => {}
        }
    }

    fn end(&mut self, at: UnixMillis) {
        if self.unfinished.take().is_some() {
            self.tally.took(Millis(at.0.saturating_sub(self.began.0)));
        }
    }

    fn begin(&mut self, turn: Option<TurnId>, item: &Item) {
        if let (Some(turn), ItemBody::CommandExecution(command)) = (turn, &item.body)
            && command.session.is_none_or(|session| !self.ever.contains(&session))
        {
            let cut_off = CutOff { turn, item: item.id, command: command.command.clone() };
            self.cut_off.insert(command.call, cut_off);
        }
    }

    fn change(&mut self, change: &SessionChange) {
        if let SessionChange::Opened(session) = change {
            self.ever.insert(session.session);
            self.cut_off.remove(&session.call);
        }
        self.sessions.apply(change);
    }

    /// Takes sessions of cut-off calls in under new numbers, and gives the records that tell so.
    pub fn take_in(&mut self, found: Vec<KnownSession>, at: UnixMillis) -> Vec<Record> {
        let mut records = Vec::new();
        for session in found {
            let turn = Some(session.turn);
            let session = KnownSession { number: self.sessions.next_number, ..session };
            let change = SessionChange::Opened(Box::new(session));
            self.change(&change);
            self.last = EventSeq(self.last.0 + 1);
            records.push(Record::Event(Event { seq: self.last, at, turn, body: EventBody::SessionChanged { change } }));
        }
        records
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
            | Entry::Reasoning { .. }
            | Entry::Picture { .. }
            // The calls in it have their outputs in it.
            | Entry::Compacted { .. } => {}
        }
    }
    open.reverse();
    open
}

#[cfg(test)]
mod tests;
