//! Values as rows and back. Every conversion that can fail is here, and fails before anything is written.

use crate::store::{Record, StoreError};
use capstan_types::id::{CallId, EventSeq};
use capstan_types::thread::ThreadRecord;
use serde_json::{from_str, to_string};
use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

/// A thread's row to be inserted.
#[derive(Debug)]
pub(super) struct ThreadRow {
    pub(super) record: ThreadRecord,
    pub(super) epoch: i64,
    pub(super) settings: String,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

impl ThreadRow {
    pub(super) fn of(thread: &ThreadRecord) -> Result<Self, StoreError> {
        Ok(Self {
            epoch: signed("the epoch", thread.epoch.0)?,
            settings: to_string(&thread.settings).map_err(unwritable)?,
            created_at: signed("the time of creation", thread.created_at.0)?,
            updated_at: signed("the time of change", thread.updated_at.0)?,
            record: thread.clone(),
        })
    }
}

/// A record to be inserted, with its body as JSON.
#[derive(Debug)]
pub(super) enum NewRow {
    Event { seq: EventSeq, number: i64, at: i64, turn: Option<String>, body: String },
    Entry { turn: String, body: String },
    Preview(String),
    CallAsked { call: CallId, turn: String, body: String },
    CallEnded { call: CallId, body: String },
}

impl NewRow {
    pub(super) fn of(record: Record) -> Result<Self, StoreError> {
        Ok(match record {
            Record::Event(event) if event.body.is_live_only() => return Err(StoreError::LiveOnly(event.seq)),
            Record::Event(event) => Self::Event {
                seq: event.seq,
                number: signed("the event's number", event.seq.0)?,
                at: signed("the event's time", event.at.0)?,
                turn: event.turn.map(|turn| turn.to_string()),
                body: to_string(&event.body).map_err(unwritable)?,
            },
            Record::Entry { turn, entry } => Self::Entry { turn: turn.to_string(), body: to_string(&entry).map_err(unwritable)? },
            Record::Preview(words) => Self::Preview(words),
            Record::CallAsked(call) => {
                Self::CallAsked { call: call.id, turn: call.turn.to_string(), body: to_string(&call).map_err(unwritable)? }
            }
            Record::CallEnded(end) => Self::CallEnded { call: end.call, body: to_string(&end).map_err(unwritable)? },
        })
    }
}

/// The moment by the wall clock, in the store's form. A clock before 1970 counts as 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A number in SQLite's form, whose integers are signed.
pub(super) fn signed(what: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed(format!("{what} is {number}; the store holds at most {}", i64::MAX)))
}

pub(super) fn unsigned(what: &str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged(what, format!("it is {number}")))
}

/// Reads a body.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(what: &str, text: &'a str) -> Result<T, StoreError> {
    from_str(text).map_err(|error| damaged(what, error))
}

/// Reads an identifier.
pub(super) fn id<T: std::str::FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| damaged(what, error))
}

fn damaged(what: &str, reason: impl Display) -> StoreError {
    StoreError::Failed(format!("{what} in the store cannot be read: {reason}; restore the file from a copy"))
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::Failed(format!("a record has no JSON form: {error}"))
}
