//! One write inside an open transaction: the checks and the rows.
//!
//! The checks stand in the same transaction as the rows, so that an owner who was overtaken between the two cannot slip one in.

use super::fault::Fault;
use super::rows::{NewRow, ThreadRow, signed, unsigned};
use crate::store::StoreError;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId};
use sqlx::{Row, SqliteConnection, query};

/// Something to be written, in the store's form.
#[derive(Debug)]
pub(super) enum Write {
    Create(Box<ThreadRow>),
    TakeOver { thread: ThreadId, seen: Epoch, owner: String },
    Append { thread: ThreadId, fence: Epoch, rows: Vec<NewRow>, at: i64 },
}

/// Carries out `write`; returns the epoch that the thread has now.
pub(super) async fn apply(connection: &mut SqliteConnection, write: &Write) -> Result<Epoch, Fault> {
    match write {
        Write::Create(row) => create(connection, row).await,
        Write::TakeOver { thread, seen, owner } => take_over(connection, *thread, *seen, owner).await,
        Write::Append { thread, fence, rows, at } => append(connection, *thread, *fence, rows, *at).await,
    }
}

async fn create(connection: &mut SqliteConnection, row: &ThreadRow) -> Result<Epoch, Fault> {
    let insert = "INSERT INTO threads (id, owner, epoch, settings, created_at, updated_at, preview) VALUES (?, ?, ?, ?, ?, ?, ?) \
                  ON CONFLICT DO NOTHING";
    let inserted = query(insert)
        .bind(row.record.id.to_string())
        .bind(&row.record.owner)
        .bind(row.epoch)
        .bind(&row.settings)
        .bind(row.created_at)
        .bind(row.updated_at)
        .bind(&row.record.preview)
        .execute(connection)
        .await?;
    match inserted.rows_affected() {
        0 => Err(Fault::Refused(StoreError::ThreadExists(row.record.id))),
        _ => Ok(row.record.epoch),
    }
}

async fn take_over(connection: &mut SqliteConnection, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, Fault> {
    checked_log(connection, thread, seen).await?;
    let next = signed("the epoch", seen.next().0).map_err(Fault::Refused)?;
    query("UPDATE threads SET owner = ?, epoch = ? WHERE id = ?")
        .bind(owner)
        .bind(next)
        .bind(thread.to_string())
        .execute(connection)
        .await?;
    Ok(seen.next())
}

async fn append(
    connection: &mut SqliteConnection,
    thread: ThreadId,
    fence: Epoch,
    rows: &[NewRow],
    at: i64,
) -> Result<Epoch, Fault> {
    let mut last = checked_log(connection, thread, fence).await?;
    let key = thread.to_string();
    for row in rows {
        match row {
            NewRow::Event { seq, .. } if *seq != last.next() => {
                return Err(Fault::Refused(StoreError::OutOfOrder { thread, next: last.next(), found: *seq }));
            }
            NewRow::Event { seq, number, at, turn, body } => {
                query("INSERT INTO events (thread, seq, at, turn, body) VALUES (?, ?, ?, ?, ?)")
                    .bind(&key)
                    .bind(number)
                    .bind(at)
                    .bind(turn)
                    .bind(body)
                    .execute(&mut *connection)
                    .await?;
                last = *seq;
            }
            NewRow::Entry { turn, body } => {
                let insert = "INSERT INTO entries (thread, turn, body) VALUES (?, ?, ?)";
                query(insert).bind(&key).bind(turn).bind(body).execute(&mut *connection).await?;
            }
            NewRow::Preview(words) => {
                let update = "UPDATE threads SET preview = ? WHERE id = ? AND preview = ''";
                query(update).bind(words).bind(&key).execute(&mut *connection).await?;
            }
            NewRow::CallAsked { call, turn, body } => ask(connection, &key, *call, turn, body).await?,
            NewRow::CallEnded { call, body } => end(connection, &key, *call, body).await?,
        }
    }
    // A clock that jumps back does not make a thread look older than it was.
    query("UPDATE threads SET updated_at = max(updated_at, ?) WHERE id = ?").bind(at).bind(key).execute(connection).await?;
    Ok(fence)
}

/// The number of the thread's last event, if `fence` still is its epoch.
async fn checked_log(connection: &mut SqliteConnection, thread: ThreadId, fence: Epoch) -> Result<EventSeq, Fault> {
    let select = "SELECT epoch, coalesce((SELECT max(seq) FROM events WHERE thread = threads.id), 0) FROM threads WHERE id = ?";
    let found = query(select).bind(thread.to_string()).fetch_optional(connection).await?;
    let row = found.ok_or(Fault::Refused(StoreError::NoThread(thread)))?;
    let newest = Epoch(unsigned("an epoch", row.try_get(0)?).map_err(Fault::Refused)?);
    if newest != fence {
        return Err(Fault::Refused(StoreError::Fenced { thread, fence, newest }));
    }
    Ok(EventSeq(unsigned("an event's number", row.try_get(1)?).map_err(Fault::Refused)?))
}

async fn ask(connection: &mut SqliteConnection, thread: &str, call: CallId, turn: &str, body: &str) -> Result<(), Fault> {
    let insert = "INSERT INTO calls (thread, id, turn, asked) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let inserted = query(insert).bind(thread).bind(call.to_string()).bind(turn).bind(body).execute(connection).await?;
    match inserted.rows_affected() {
        0 => Err(Fault::Refused(StoreError::CallExists(call))),
        _ => Ok(()),
    }
}

async fn end(connection: &mut SqliteConnection, thread: &str, call: CallId, body: &str) -> Result<(), Fault> {
    let update = "UPDATE calls SET ended = ? WHERE thread = ? AND id = ? AND ended IS NULL";
    let updated = query(update).bind(body).bind(thread).bind(call.to_string()).execute(&mut *connection).await?;
    if updated.rows_affected() > 0 {
        return Ok(());
    }
    let select = "SELECT 1 FROM calls WHERE thread = ? AND id = ?";
    let found = query(select).bind(thread).bind(call.to_string()).fetch_optional(connection).await?;
    Err(Fault::Refused(match found {
        Some(_) => StoreError::CallEnded(call),
        None => StoreError::NoCall(call),
    }))
}
