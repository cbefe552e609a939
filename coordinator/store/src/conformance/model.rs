//! Random histories, compared with a store that is only a few vectors.

use super::fixtures::{call, call_id, end, event, said, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::call::{Call, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, TurnId};
use capstan_types::thread::TurnInput;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One thing done to a store. Numbers are small, so that histories meet themselves.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Create(u8),
    TakeOver(u8, u64),
    Append(u8, u64, Vec<Part>),
}

/// One record of an append.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// The event that is this far from the next number.
    Event(u64),
    Entry(u16),
    Asked(u8),
    Ended(u8, i32),
    Queued(u8),
    Unqueued(u8),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![
        12 => Just(Part::Event(1)),
        1 => (0..4_u64).prop_map(Part::Event),
        4 => any::<u16>().prop_map(Part::Entry),
        3 => (0..6_u8).prop_map(Part::Asked),
        3 => (0..6_u8, any::<i32>()).prop_map(|(call, code)| Part::Ended(call, code)),
        2 => (0..6_u8).prop_map(Part::Queued),
        2 => (0..6_u8).prop_map(Part::Unqueued),
    ];
    let parts = prop::collection::vec(part, 0..6);
    let step = prop_oneof![
        2 => (0..3_u8).prop_map(Step::Create),
        1 => (0..3_u8, 1..4_u64).prop_map(|(thread, seen)| Step::TakeOver(thread, seen)),
        8 => (0..3_u8, prop_oneof![6 => Just(1), 2 => 2..4_u64], parts).prop_map(|(thread, fence, parts)| Step::Append(thread, fence, parts)),
    ];
    prop::collection::vec(step, 0..40)
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Kept {
    owner: String,
    epoch: u64,
    events: Vec<Event>,
    entries: Vec<Entry>,
    calls: BTreeMap<CallId, (Call, Option<CallEnd>)>,
    /// Those without an end, in the order they were asked for.
    open: Vec<Call>,
    /// The turns that wait.
    queued: Vec<TurnId>,
}

impl Kept {
    /// The records that `parts` stand for, now.
    fn records(&self, parts: &[Part]) -> Vec<Record> {
        let mut last = self.events.len() as u64;
        let mut record = |part: &Part| match part {
            Part::Event(step) => {
                last += step;
                Record::Event(event(last))
            }
            Part::Entry(text) => said(&text.to_string()),
            Part::Asked(number) => Record::CallAsked(call(*number)),
            Part::Ended(number, code) => Record::CallEnded(end(*number, *code)),
            Part::Queued(number) => {
                Record::Queued { turn: TurnId::from_u128((*number).into()), input: Box::new(TurnInput::default()) }
            }
            Part::Unqueued(number) => Record::Unqueued(TurnId::from_u128((*number).into())),
        };
        parts.iter().map(&mut record).collect()
    }

    fn keep(&mut self, record: Record) -> Result<(), &'static str> {
        match record {
            Record::Event(event) if event.seq.0 != self.events.len() as u64 + 1 => return Err("out of order"),
            Record::Event(event) => self.events.push(event),
            Record::Entry { entry, .. } => self.entries.push(entry),
            // The model's random records have none.
            Record::Preview(_) | Record::Settings(_) | Record::Cost(_) | Record::CallAttempted(_) => {}
            Record::Queued { turn, .. } if self.queued.contains(&turn) => {}
            Record::Queued { turn, .. } => self.queued.push(turn),
            Record::Unqueued(turn) => self.queued.retain(|waits| *waits != turn),
            Record::CallAsked(call) if self.calls.contains_key(&call.id) => return Err("call exists"),
            Record::CallAsked(call) => {
                self.open.push(call.clone());
                self.calls.insert(call.id, (call, None));
            }
            Record::CallEnded(end) => match self.calls.get_mut(&end.call) {
                None => return Err("no call"),
                Some((_, Some(_))) => return Err("call ended"),
                Some((call, ended)) => {
                    self.open.retain(|open| open.id != call.id);
                    *ended = Some(end);
                }
            },
        }
        Ok(())
    }
}

/// What an error says, without its numbers.
fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::NoThread(_) => "no thread",
        StoreError::ThreadExists(_) => "thread exists",
        StoreError::Fenced { .. } => "fenced",
        StoreError::OutOfOrder { .. } => "out of order",
        StoreError::CallExists(_) => "call exists",
        StoreError::NoCall(_) => "no call",
        StoreError::CallEnded(_) => "call ended",
        other => panic!("not an answer to a history: {other}"),
    }
}

#[derive(Debug, Default)]
struct Model(BTreeMap<u8, Kept>);

impl Model {
    fn expect(&mut self, step: &Step, records: &[Record]) -> Result<(), &'static str> {
        match step {
            Step::Create(number) if self.0.contains_key(number) => Err("thread exists"),
            Step::Create(number) => {
                self.0.insert(*number, Kept { owner: thread(*number).owner, epoch: 1, ..Kept::default() });
                Ok(())
            }
            Step::TakeOver(number, seen) => {
                let kept = self.0.get_mut(number).ok_or("no thread")?;
                if kept.epoch != *seen {
                    return Err("fenced");
                }
                (kept.epoch, kept.owner) = (seen + 1, format!("owner {seen}"));
                Ok(())
            }
            Step::Append(number, fence, _) => {
                let kept = self.0.get_mut(number).ok_or("no thread")?;
                if kept.epoch != *fence {
                    return Err("fenced");
                }
                let mut next = kept.clone();
                records.iter().try_for_each(|record| next.keep(record.clone()))?;
                *kept = next;
                Ok(())
            }
        }
    }
}

/// Does `steps` to an empty store and to the model; each step has the same answer, and in the end both hold the same.
pub(crate) async fn follow(store: &impl Store, steps: Vec<Step>) {
    let mut model = Model::default();
    for step in steps {
        let (number, parts): (&u8, &[Part]) = match &step {
            Step::Create(number) | Step::TakeOver(number, _) => (number, &[]),
            Step::Append(number, _, parts) => (number, parts),
        };
        let records = model.0.get(number).cloned().unwrap_or_default().records(parts);
        let expected = model.expect(&step, &records);
        let done = match &step {
            Step::Create(number) => store.create_thread(&thread(*number)).await,
            Step::TakeOver(number, seen) => {
                store.take_over(thread_id(*number), Epoch(*seen), &format!("owner {seen}")).await.map(drop)
            }
            Step::Append(number, fence, _) => store.append(thread_id(*number), Epoch(*fence), records).await,
        };
        assert_eq!(done.map_err(|error| kind(&error)), expected, "{step:?}");
    }
    for number in 0..3 {
        assert_eq!(kept_in(store, number).await.as_ref(), model.0.get(&number));
    }
}

async fn kept_in(store: &impl Store, number: u8) -> Option<Kept> {
    let row = store.thread(thread_id(number)).await.unwrap()?;
    let mut calls = BTreeMap::new();
    for id in (0..6).map(call_id) {
        calls.extend(store.call(thread_id(number), id).await.unwrap().map(|kept| (id, kept)));
    }
    Some(Kept {
        owner: row.owner,
        epoch: row.epoch.0,
        events: store.events(thread_id(number), EventSeq(0), u32::MAX).await.unwrap(),
        entries: store.entries(thread_id(number)).await.unwrap(),
        calls,
        open: store.open_calls(thread_id(number)).await.unwrap(),
        queued: store.queued(thread_id(number)).await.unwrap().into_iter().map(|(turn, _)| turn).collect(),
    })
}
