//! Values as rows and back. Every conversion that can fail is here, and fails before anything is written.

use crate::error::StoreError;
use crate::record::Record;
use capstan_types::call::CallAttempt;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, EventSeq};
use capstan_types::thread::{ThreadCost, ThreadRecord};
use serde_json::{from_str, to_string};
use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

/// A thread's row to be inserted.
#[derive(Debug)]
pub(crate) struct ThreadRow {
    pub(crate) record: ThreadRecord,
    pub(crate) epoch: i64,
    pub(crate) settings: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) archived_at: Option<i64>,
    pub(crate) parent: Option<String>,
    pub(crate) spent: [i64; 6],
}

impl ThreadRow {
    pub(crate) fn of(thread: &ThreadRecord) -> Result<Self, StoreError> {
        Ok(Self {
            epoch: signed("the epoch", thread.epoch.0)?,
            settings: json_text(&thread.settings)?,
            created_at: signed("the time of creation", thread.created_at.0)?,
            updated_at: signed("the time of change", thread.updated_at.0)?,
            archived_at: thread.archived_at.map(|at| signed("the time of archiving", at.0)).transpose()?,
            parent: thread.parent.as_ref().map(json_text).transpose()?,
            spent: spent(&thread.spent)?,
            record: thread.clone(),
        })
    }
}

/// A record to be inserted, with its body as JSON.
#[derive(Debug)]
pub(crate) enum NewRow {
    Event {
        seq: EventSeq,
        number: i64,
        at: i64,
        turn: Option<String>,
        body: String,
    },
    /// With what a person said in it.
    Entry {
        turn: String,
        body: String,
        said: Option<String>,
    },
    Preview(String),
    Settings {
        body: String,
        cwd: String,
    },
    Cost([i64; 6]),
    CallAsked {
        call: CallId,
        turn: String,
        body: String,
    },
    CallAttempted {
        attempt: CallAttempt,
        body: String,
    },
    CallEnded {
        call: CallId,
        body: String,
    },
    Queued {
        turn: String,
        body: String,
    },
    Unqueued(String),
}

impl NewRow {
    pub(crate) fn of(record: Record) -> Result<Self, StoreError> {
        Ok(match record {
            Record::Event(event) if event.body.is_live_only() => return Err(StoreError::LiveOnly(event.seq)),
            Record::Event(event) => Self::Event {
                seq: event.seq,
                number: signed("the event's number", event.seq.0)?,
                at: signed("the event's time", event.at.0)?,
                turn: event.turn.map(|turn| turn.to_string()),
                body: json_text(&event.body)?,
            },
            Record::Entry { turn, entry } => {
                let body = json_text(&entry)?;
                Self::Entry { turn: turn.to_string(), body, said: said_in(entry) }
            }
            Record::Preview(words) => Self::Preview(words),
            Record::Settings(settings) => Self::Settings { body: json_text(&settings)?, cwd: settings.cwd.as_str().to_owned() },
            Record::Cost(amount) => Self::Cost(spent(&amount)?),
            Record::CallAttempted(attempt) => Self::CallAttempted { body: json_text(&attempt)?, attempt },
            Record::CallAsked(call) => Self::CallAsked { call: call.id, turn: call.turn.to_string(), body: json_text(&call)? },
            Record::Queued { turn, input } => Self::Queued { turn: turn.to_string(), body: json_text(&input)? },
            Record::Unqueued(turn) => Self::Unqueued(turn.to_string()),
            Record::CallEnded(end) => Self::CallEnded { call: end.call, body: json_text(&end)? },
        })
    }
}

/// What a person said in an entry, if a person did.
pub(crate) fn said_in(entry: Entry) -> Option<String> {
    match entry {
        Entry::User { text, .. } => Some(text),
        Entry::Developer { .. }
        | Entry::Assistant { .. }
        | Entry::Reasoning { .. }
        | Entry::Call { .. }
        | Entry::Picture { .. }
        | Entry::Compacted { .. }
        | Entry::CallOutput { .. } => None,
    }
}

/// In the order of the columns.
fn spent(spent: &ThreadCost) -> Result<[i64; 6], StoreError> {
    let usage = &spent.usage;
    Ok([
        signed("the number of input tokens", usage.input_tokens)?,
        signed("the number of cached input tokens", usage.cached_input_tokens)?,
        signed("the number of input tokens put into the cache", usage.cache_write_input_tokens)?,
        signed("the number of output tokens", usage.output_tokens)?,
        signed("the number of reasoning tokens", usage.reasoning_output_tokens)?,
        signed("the sum of money", spent.micro_usd)?,
    ])
}

/// The moment by the wall clock, in the store's form. A clock before 1970 counts as 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A number in the databases' form, whose integers are signed.
pub(crate) fn signed(what: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed(format!("{what} is {number}; the store holds at most {}", i64::MAX)))
}

pub(crate) fn unsigned(what: &str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged(what, format!("it is {number}")))
}

/// Reads a body.
pub(crate) fn json<'a, T: serde::Deserialize<'a>>(what: &str, text: &'a str) -> Result<T, StoreError> {
    from_str(text).map_err(|error| damaged(what, error))
}

/// Reads an identifier.
pub(crate) fn id<T: std::str::FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| damaged(what, error))
}

fn damaged(what: &str, reason: impl Display) -> StoreError {
    StoreError::Failed(format!("{what} in the store cannot be read: {reason}; restore the store from a copy"))
}

/// Writes a body.
pub(crate) fn json_text(value: &impl serde::Serialize) -> Result<String, StoreError> {
    to_string(value).map_err(|error| StoreError::Failed(format!("a record has no JSON form: {error}")))
}
