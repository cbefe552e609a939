//! What a thread's stored events say of it, and how a turn is ended that nobody lived to end. Pure.
//!
//! Invariant: the truth is told and no more. What the turn had done is stored; whether its last calls finished is not known.

use super::items::given_up;
use super::tally::Tally;
use capstan_store::store::Record;
use capstan_types::budget::Budgets;
use capstan_types::call::{Call, CallEnd, Outcome};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{CallId, EventSeq, SessionId, TurnId};
use capstan_types::item::{CommandExecution, Item, ItemBody, ItemId};
use capstan_types::session::known::{KnownSession, KnownSessions, SessionChange};
use capstan_types::thread::{ThreadSettings, TurnInput};
use capstan_types::time::{Millis, UnixMillis};
use std::collections::{BTreeMap, BTreeSet, HashSet};

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
    /// What was given to the unfinished turn, and what it has come to.
    pub cut: Cut,
    /// Calls of the unfinished turn that go on: their sessions are theirs.
    pub going_on: BTreeSet<CallId>,
    /// Calls whose sessions the node has.
    pub on_node: BTreeSet<CallId>,
    /// The turns that wait.
    pub queued: Vec<(TurnId, TurnInput)>,
    open: BTreeMap<ItemId, ItemBody>,
    began: UnixMillis,
    at: UnixMillis,
}

/// A turn that has no end, as its stored events tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// How often it was gone on with.
    pub times: u32,
    /// What it has used. Its time is that of the lives that are over.
    pub spent: Tally,
    /// A schema for its final message.
    pub output_schema: Option<serde_json::Value>,
    /// Budgets of its own.
    pub budgets: Option<Budgets>,
    /// Why it cannot run.
    pub refused: Option<String>,
    /// Whether it does nothing but shorten the conversation.
    pub compact: bool,
    /// The items of its calls.
    pub items: BTreeMap<CallId, ItemId>,
    /// What people said to it, its prompt first.
    pub said: Vec<String>,
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
    /// Whether a turn of it is to be run, though nobody asks for one.
    #[must_use]
    pub const fn is_to_run(&self) -> bool {
        self.unfinished.is_some() || !self.queued.is_empty()
    }

    /// Takes note of the next stored event.
    pub fn add(&mut self, event: Event) {
        self.last = event.seq;
        let before = std::mem::replace(&mut self.at, event.at);
        match event.body {
            EventBody::TurnStarted => {
                self.unfinished = event.turn;
                self.cut = Cut::default();
                self.began = event.at;
                self.turns.extend(event.turn);
            }
            EventBody::TurnDemands { output_schema, budgets, refused, compact } => {
                self.cut = Cut { output_schema, budgets, refused, compact, ..std::mem::take(&mut self.cut) };
            }
            EventBody::TurnContinued { times } => {
                // The time in which nobody ran it is not its own.
                self.cut.spent.took(Millis(before.0.saturating_sub(self.began.0)));
                self.began = event.at;
                self.cut.times = times;
            }
            EventBody::SettingsChanged { settings } => self.settings = Some(settings),
            EventBody::ItemStarted { item } | EventBody::ItemUpdated { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.cut.items.extend(item.body.call().map(|call| (call, item.id)));
                self.begin(event.turn, &item);
                self.open.insert(item.id, item.body);
            }
            EventBody::ItemCompleted { item } => {
                self.next_item = self.next_item.max(item.id.0 + 1);
                self.cut.items.extend(item.body.call().map(|call| (call, item.id)));
                self.open.remove(&item.id);
                if let ItemBody::UserMessage { text, .. } = &item.body {
                    self.cut.said.push(text.clone());
                }
                // One that its coordinator did not live to complete may have a session all the same.
                if let ItemBody::CommandExecution(command) = &item.body
                    && command.reason.as_deref() != Some(ITEM_CUT_OFF)
                {
                    self.cut_off.remove(&command.call);
                }
            }
            EventBody::ModelAnswered { spent } => self.cut.spent.add(&spent),
            EventBody::TurnCompleted { usage } => {
                self.end(event.at);
                // Threads of earlier releases have no other count.
                self.tally.usage = usage;
            }
            EventBody::TurnPaused { .. } | EventBody::TurnFailed { .. } | EventBody::TurnInterrupted => self.end(event.at),
            EventBody::SessionChanged { change } => self.change(&change),
            EventBody::ThreadStarted { .. }
            | EventBody::MessageDelta { .. }
            | EventBody::OutputDelta { .. }
            | EventBody::Notice { .. }
            | EventBody::TurnBilled { .. }
            | EventBody::CheckpointSaved { .. }
            | EventBody::TurnDiff { .. } => {}
        }
    }

    fn end(&mut self, at: UnixMillis) {
        if self.unfinished.take().is_some() {
            let mut cut = std::mem::take(&mut self.cut);
            cut.spent.took(Millis(at.0.saturating_sub(self.began.0)));
            self.tally = self.tally.plus(&cut.spent);
        }
    }

    /// Takes the unfinished turn out, to be gone on with: what is known of it, and its items that are open.
    pub fn cut(&mut self) -> (Cut, BTreeMap<ItemId, ItemBody>) {
        let mut cut = std::mem::take(&mut self.cut);
        cut.spent.took(Millis(self.at.0.saturating_sub(self.began.0)));
        (cut, std::mem::take(&mut self.open))
    }

    /// The commands whose items are open.
    pub fn open_commands(&self) -> BTreeMap<ItemId, CommandExecution> {
        let command = |(id, body): (&ItemId, &ItemBody)| match body {
            ItemBody::CommandExecution(command) => Some((*id, command.clone())),
            _ => None,
        };
        self.open.iter().filter_map(command).collect()
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
    /// `calls` are those without an end, `entries` the thread's history, `unsaid` what the model was not told of what people said to the turn.
    #[must_use]
    pub fn ending(&self, calls: Vec<Call>, entries: &[Entry], unsaid: Vec<String>, why: &str, at: UnixMillis) -> Vec<Record> {
        let Some(turn) = self.unfinished else { return Vec::new() };
        let completed = self
            .open
            .iter()
            .map(|(id, body)| EventBody::ItemCompleted { item: Item { id: *id, body: given_up(body.clone(), ITEM_CUT_OFF) } });
        let bodies = completed.chain([EventBody::TurnFailed { message: why.to_owned() }]);
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
        let unsaid = unsaid.into_iter().map(|text| Record::Entry { turn, entry: Entry::User { text, images: Vec::new() } });
        ends.chain(outputs).chain(unsaid).chain(events).collect()
    }
}

/// What people said to a turn that no entry of it tells: `said` in order, its prompt first.
pub(super) fn unsaid(said: &[String], entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for entry in entries {
        if let Entry::User { text, .. } = entry {
            told.push(text);
        }
    }
    let mut untold = |text: &&String| match told.iter().position(|told| told == *text) {
        Some(place) => {
            told.swap_remove(place);
            false
        }
        None => true,
    };
    said.iter().filter(|text| untold(text)).cloned().collect()
}

/// The calls of a history without an output, in order. Every provider refuses a history that has one.
pub(super) fn unanswered(entries: &[Entry]) -> Vec<String> {
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
