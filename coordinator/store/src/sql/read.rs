//! Questions to the store.

use super::connection::{Ask, Row, Value};
use super::fault::Fault;
use crate::record::PlacedEntry;
use crate::rows::{id, json, signed, unsigned};
use capstan_types::call::{Call, CallAttempt, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::{ThreadCost, ThreadRecord};
use capstan_types::time::UnixMillis;

/// A thread's columns, in the order in which [`thread_of`] reads them.
macro_rules! thread_columns {
    () => {
        "id, owner, epoch, settings, created_at, updated_at, preview, name, archived_at, parent, input_tokens, \
         cached_input_tokens, cache_write_input_tokens, output_tokens, reasoning_output_tokens, micro_usd"
    };
}
pub(super) use thread_columns;

pub(crate) async fn thread(sql: &mut impl Ask, thread: ThreadId) -> Result<Option<ThreadRecord>, Fault> {
    let select = concat!("SELECT ", thread_columns!(), " FROM threads WHERE id = $1");
    sql.rows(select, &[Value::Text(&thread.to_string())]).await?.first().map(thread_of).transpose()
}

pub(crate) async fn events(sql: &mut impl Ask, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, Fault> {
    let select = "SELECT seq, at, turn, body FROM events WHERE thread = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let after = signed("the event's number", after.0)?;
    let values = [Value::Text(&thread.to_string()), Value::Number(after), Value::Number(i64::from(limit))];
    sql.rows(select, &values).await?.iter().map(event_of).collect()
}

/// An event's JSON begins with its kind. The last turn that has items begins at the last `turn_started` before the last of them.
const OUTLINE: &str = "SELECT seq, at, turn, body FROM events WHERE thread = $1 AND seq > $2 \
                       AND (substr(body, 1, 14) <> '{\"type\":\"item_' OR seq >= coalesce( \
                       (SELECT max(begun.seq) FROM events AS begun WHERE begun.thread = $1 AND begun.body = '{\"type\":\"turn_started\"}' \
                       AND begun.seq < (SELECT max(item.seq) FROM events AS item WHERE item.thread = $1 \
                       AND substr(item.body, 1, 14) = '{\"type\":\"item_')), 0)) \
                       ORDER BY seq LIMIT $3";

pub(crate) async fn outline(sql: &mut impl Ask, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, Fault> {
    let after = signed("the event's number", after.0)?;
    let values = [Value::Text(&thread.to_string()), Value::Number(after), Value::Number(i64::from(limit))];
    sql.rows(OUTLINE, &values).await?.iter().map(event_of).collect()
}

/// The condition is that of an index.
const SHOWN: &str = "SELECT body FROM entries WHERE thread = $1 AND position >= coalesce((SELECT max(position) FROM entries \
                     WHERE thread = $1 AND substr(body, 1, 19) = '{\"type\":\"compacted\"'), 0) ORDER BY position";

pub(crate) async fn shown(sql: &mut impl Ask, thread: ThreadId) -> Result<Vec<Entry>, Fault> {
    let rows = sql.rows(SHOWN, &[Value::Text(&thread.to_string())]).await?;
    rows.iter().map(|row| Ok(json("an entry", row.text(0)?)?)).collect()
}

pub(crate) async fn entries(sql: &mut impl Ask, thread: ThreadId) -> Result<Vec<Entry>, Fault> {
    let select = "SELECT body FROM entries WHERE thread = $1 ORDER BY position";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string())]).await?;
    rows.iter().map(|row| Ok(json("an entry", row.text(0)?)?)).collect()
}

pub(crate) async fn placed_entries(sql: &mut impl Ask, thread: ThreadId) -> Result<Vec<PlacedEntry>, Fault> {
    let select = "SELECT turn, after_seq, body FROM entries WHERE thread = $1 ORDER BY position";
    let placed = |row: &Row| {
        Ok(PlacedEntry {
            turn: id("an entry's turn", row.text(0)?)?,
            after: EventSeq(unsigned("an event's number", row.number(1)?)?),
            entry: json("an entry", row.text(2)?)?,
        })
    };
    sql.rows(select, &[Value::Text(&thread.to_string())]).await?.iter().map(placed).collect()
}

pub(crate) async fn open_calls(sql: &mut impl Ask, thread: ThreadId) -> Result<Vec<Call>, Fault> {
    let select = "SELECT asked FROM calls WHERE thread = $1 AND ended IS NULL ORDER BY position";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string())]).await?;
    rows.iter().map(|row| Ok(json("a call", row.text(0)?)?)).collect()
}

pub(crate) async fn call(sql: &mut impl Ask, thread: ThreadId, call: CallId) -> Result<Option<(Call, Option<CallEnd>)>, Fault> {
    let select = "SELECT asked, ended FROM calls WHERE thread = $1 AND id = $2";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string()), Value::Text(&call.to_string())]).await?;
    rows.first().map(call_of).transpose()
}

pub(crate) async fn calls_of(sql: &mut impl Ask, thread: ThreadId, turn: TurnId) -> Result<Vec<(Call, Option<CallEnd>)>, Fault> {
    let select = "SELECT asked, ended FROM calls WHERE thread = $1 AND turn = $2 ORDER BY position";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string()), Value::Text(&turn.to_string())]).await?;
    rows.iter().map(call_of).collect()
}

fn call_of(row: &Row) -> Result<(Call, Option<CallEnd>), Fault> {
    let ended = row.maybe_text(1)?.map(|text| json("a call's end", text)).transpose()?;
    Ok((json("a call", row.text(0)?)?, ended))
}

/// An event's JSON begins with its kind.
const UNSETTLED: &str = "SELECT threads.id, threads.owner FROM threads \
                         JOIN events ON events.thread = threads.id AND events.seq = threads.last_seq \
                         WHERE EXISTS (SELECT 1 FROM queued WHERE queued.thread = threads.id) OR (events.body NOT LIKE '{\"type\":\"thread_started\"%' AND events.body NOT LIKE '{\"type\":\"turn_completed\"%' \
                         AND events.body NOT LIKE '{\"type\":\"turn_failed\"%' AND events.body NOT LIKE '{\"type\":\"turn_paused\"%' \
                         AND events.body NOT LIKE '{\"type\":\"turn_interrupted\"%') ORDER BY threads.id";

pub(crate) async fn unsettled(sql: &mut impl Ask) -> Result<Vec<(ThreadId, String)>, Fault> {
    let rows = sql.rows(UNSETTLED, &[]).await?;
    rows.iter().map(|row| Ok((id("a thread's id", row.text(0)?)?, row.text(1)?.to_owned()))).collect()
}

pub(crate) async fn attempts(sql: &mut impl Ask, thread: ThreadId, call: CallId) -> Result<Vec<CallAttempt>, Fault> {
    let select = "SELECT body FROM attempts WHERE thread = $1 AND call = $2 ORDER BY attempt";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string()), Value::Text(&call.to_string())]).await?;
    rows.iter().map(|row| Ok(json("an attempt", row.text(0)?)?)).collect()
}

pub(super) fn thread_of(row: &Row) -> Result<ThreadRecord, Fault> {
    let time = |index| Ok::<_, Fault>(UnixMillis(unsigned("a time", row.number(index)?)?));
    let spent = |index| Ok::<_, Fault>(unsigned("an amount", row.number(index)?)?);
    Ok(ThreadRecord {
        id: id("a thread's id", row.text(0)?)?,
        owner: row.text(1)?.to_owned(),
        epoch: Epoch(unsigned("an epoch", row.number(2)?)?),
        settings: json("a thread's settings", row.text(3)?)?,
        created_at: time(4)?,
        updated_at: time(5)?,
        preview: row.text(6)?.to_owned(),
        name: row.maybe_text(7)?.map(str::to_owned),
        archived_at: row.maybe_number(8)?.map(|_| time(8)).transpose()?,
        parent: row.maybe_text(9)?.map(|text| json("a thread's parent", text)).transpose()?,
        spent: ThreadCost {
            usage: Usage {
                input_tokens: spent(10)?,
                cached_input_tokens: spent(11)?,
                cache_write_input_tokens: spent(12)?,
                output_tokens: spent(13)?,
                reasoning_output_tokens: spent(14)?,
            },
            micro_usd: spent(15)?,
        },
    })
}

fn event_of(row: &Row) -> Result<Event, Fault> {
    Ok(Event {
        seq: EventSeq(unsigned("an event's number", row.number(0)?)?),
        at: UnixMillis(unsigned("an event's time", row.number(1)?)?),
        turn: row.maybe_text(2)?.map(|turn| id("an event's turn", turn)).transpose()?,
        body: json("an event", row.text(3)?)?,
    })
}
