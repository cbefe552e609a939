//! Questions to the store.

use super::fault::failed;
use super::rows::{id, json, signed, unsigned};
use crate::store::StoreError;
use capstan_types::call::{Call, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId};
use capstan_types::thread::ThreadRecord;
use capstan_types::time::UnixMillis;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, SqliteConnection, Type, query};

pub(super) async fn thread(connection: &mut SqliteConnection, thread: ThreadId) -> Result<Option<ThreadRecord>, StoreError> {
    let select = "SELECT id, owner, epoch, settings, created_at, updated_at, preview FROM threads WHERE id = ?";
    let row = query(select).bind(thread.to_string()).fetch_optional(connection).await.map_err(failed)?;
    row.as_ref().map(thread_of).transpose()
}

pub(super) async fn threads(connection: &mut SqliteConnection, limit: u32) -> Result<Vec<ThreadRecord>, StoreError> {
    let select = "SELECT id, owner, epoch, settings, created_at, updated_at, preview FROM threads \
                  ORDER BY created_at DESC, id DESC LIMIT ?";
    let rows = query(select).bind(i64::from(limit)).fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(thread_of).collect()
}

pub(super) async fn events(
    connection: &mut SqliteConnection,
    thread: ThreadId,
    after: EventSeq,
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    let select = "SELECT seq, at, turn, body FROM events WHERE thread = ? AND seq > ? ORDER BY seq LIMIT ?";
    let after = signed("the event's number", after.0)?;
    let asked = query(select).bind(thread.to_string()).bind(after).bind(i64::from(limit));
    asked.fetch_all(connection).await.map_err(failed)?.iter().map(event_of).collect()
}

pub(super) async fn entries(connection: &mut SqliteConnection, thread: ThreadId) -> Result<Vec<Entry>, StoreError> {
    let select = "SELECT body FROM entries WHERE thread = ? ORDER BY position";
    let rows = query(select).bind(thread.to_string()).fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| json("an entry", column(row, 0)?)).collect()
}

pub(super) async fn open_calls(connection: &mut SqliteConnection, thread: ThreadId) -> Result<Vec<Call>, StoreError> {
    let select = "SELECT asked FROM calls WHERE thread = ? AND ended IS NULL ORDER BY position";
    let rows = query(select).bind(thread.to_string()).fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| json("a call", column(row, 0)?)).collect()
}

pub(super) async fn call(
    connection: &mut SqliteConnection,
    thread: ThreadId,
    call: CallId,
) -> Result<Option<(Call, Option<CallEnd>)>, StoreError> {
    let select = "SELECT asked, ended FROM calls WHERE thread = ? AND id = ?";
    let asked = query(select).bind(thread.to_string()).bind(call.to_string());
    let Some(row) = asked.fetch_optional(connection).await.map_err(failed)? else {
        return Ok(None);
    };
    let ended: Option<&str> = column(&row, 1)?;
    Ok(Some((json("a call", column(&row, 0)?)?, ended.map(|text| json("a call's end", text)).transpose()?)))
}

fn thread_of(row: &SqliteRow) -> Result<ThreadRecord, StoreError> {
    Ok(ThreadRecord {
        id: id("a thread's id", column(row, 0)?)?,
        owner: column(row, 1)?,
        epoch: Epoch(unsigned("an epoch", column(row, 2)?)?),
        settings: json("a thread's settings", column(row, 3)?)?,
        created_at: UnixMillis(unsigned("a time", column(row, 4)?)?),
        updated_at: UnixMillis(unsigned("a time", column(row, 5)?)?),
        preview: column(row, 6)?,
    })
}

fn event_of(row: &SqliteRow) -> Result<Event, StoreError> {
    let turn: Option<&str> = column(row, 2)?;
    Ok(Event {
        seq: EventSeq(unsigned("an event's number", column(row, 0)?)?),
        at: UnixMillis(unsigned("an event's time", column(row, 1)?)?),
        turn: turn.map(|turn| id("an event's turn", turn)).transpose()?,
        body: json("an event", column(row, 3)?)?,
    })
}

fn column<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, index: usize) -> Result<T, StoreError> {
    row.try_get(index).map_err(failed)
}
