//! A thread that begins as another one was at some point.

use super::connection::{Sql, Value};
use super::fault::Fault;
use super::thread_row;
use crate::error::StoreError;
use crate::rows::{ThreadRow, id, json, json_text, signed, unsigned};
use capstan_types::event::EventBody;
use capstan_types::id::{Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::{Parent, ThreadRecord, Upto};

/// What is copied, each from `$2` to `$1` up to the event `$3`. What was stored after that event belongs to the fork if its turn had
/// begun, or if nothing is left out (`$4`): the first prompt of the next turn may be stored before that turn's first event.
const COPIES: [&str; 5] = [
    "INSERT INTO events (thread, seq, at, turn, body) SELECT $1, seq, at, turn, body FROM events WHERE thread = $2 AND seq <= $3 \
     AND $4 = $4",
    "INSERT INTO entries (thread, turn, after_seq, body) SELECT $1, turn, after_seq, body FROM entries WHERE thread = $2 \
     AND (after_seq < $3 OR (after_seq = $3 AND ($4 = 1 OR EXISTS (SELECT 1 FROM events WHERE events.thread = $2 \
     AND events.turn = entries.turn AND events.seq <= $3)))) ORDER BY position",
    "INSERT INTO calls (thread, id, turn, asked_after, asked, ended_after, ended) SELECT $1, id, turn, asked_after, asked, \
     ended_after, ended FROM calls WHERE thread = $2 AND ended_after <= $3 AND $4 = $4 ORDER BY position",
    "INSERT INTO attempts (thread, call, attempt, body) SELECT $1, call, attempt, body FROM attempts WHERE thread = $2 \
     AND $3 = $3 AND $4 = $4 AND call IN (SELECT id FROM calls WHERE thread = $1)",
    "INSERT INTO said (thread, kind, after_seq, words) SELECT $1, kind, after_seq, words FROM said WHERE thread = $2 \
     AND kind = 'prompt' AND (after_seq < $3 OR $4 = 1)",
];

pub(super) async fn fork(sql: &mut impl Sql, source: ThreadId, upto: Upto, row: &ThreadRow) -> Result<Epoch, Fault> {
    let from = source.to_string();
    // Changes nothing, and holds the row, so that the source stands still while it is copied.
    let hold = "UPDATE threads SET last_seq = last_seq WHERE id = $1 RETURNING last_seq, preview";
    let held = sql.rows(hold, &[Value::Text(&from)]).await?;
    let held = held.first().ok_or(Fault::Refused(StoreError::NoThread(source)))?;
    let (last, preview) = (held.number(0)?, held.text(1)?.to_owned());
    let (cut, turn) = point(sql, source, upto, last).await?;

    let new = ThreadRow::of(&ThreadRecord {
        preview: if row.record.preview.is_empty() { preview } else { row.record.preview.clone() },
        parent: Some(Parent { thread: source, seq: EventSeq(unsigned("an event's number", cut)?), turn }),
        ..row.record.clone()
    })?;
    let epoch = thread_row::create(sql, &new).await?;
    let to = new.record.id.to_string();
    let whole = i64::from(cut == last);
    for statement in COPIES {
        sql.execute(statement, &[Value::Text(&to), Value::Text(&from), Value::Number(cut), Value::Number(whole)]).await?;
    }
    let log = "UPDATE threads SET last_seq = $1 WHERE id = $2";
    sql.execute(log, &[Value::Number(cut), Value::Text(&to)]).await?;
    own_beginning(sql, &new, &to).await?;
    Ok(epoch)
}

/// The last event to be copied, and the turn it ends.
async fn point(sql: &mut impl Sql, source: ThreadId, upto: Upto, last: i64) -> Result<(i64, Option<TurnId>), Fault> {
    let (thread, nowhere) = (source.to_string(), Fault::Refused(StoreError::NoPoint(source)));
    match upto {
        Upto::Event(seq) => match signed("the event's number", seq.0)? {
            seq if seq <= last => Ok((seq, turn_at(sql, &thread, seq).await?)),
            _ => Err(nowhere),
        },
        Upto::Turn(turn) => {
            let select = "SELECT max(seq) FROM events WHERE thread = $1 AND turn = $2";
            let found = sql.rows(select, &[Value::Text(&thread), Value::Text(&turn.to_string())]).await?;
            let seq = found.first().map_or(Ok(None), |row| row.maybe_number(0))?;
            seq.map(|seq| (seq, Some(turn))).ok_or(nowhere)
        }
        Upto::End => Ok((last, turn_at(sql, &thread, last).await?)),
    }
}

/// The turn of the last event up to a number.
async fn turn_at(sql: &mut impl Sql, thread: &str, seq: i64) -> Result<Option<TurnId>, Fault> {
    let select = "SELECT turn FROM events WHERE thread = $1 AND seq <= $2 AND turn IS NOT NULL ORDER BY seq DESC LIMIT 1";
    let found = sql.rows(select, &[Value::Text(thread), Value::Number(seq)]).await?;
    found.first().map(|row| Ok(id("an event's turn", row.text(0)?)?)).transpose()
}

/// The event that tells of the thread's beginning tells of the fork's.
async fn own_beginning(sql: &mut impl Sql, new: &ThreadRow, thread: &str) -> Result<(), Fault> {
    let found = sql.rows("SELECT body FROM events WHERE thread = $1 AND seq = 1", &[Value::Text(thread)]).await?;
    let Some(first) = found.first() else { return Ok(()) };
    if let EventBody::ThreadStarted { .. } = json("an event", first.text(0)?)? {
        let own = EventBody::ThreadStarted { thread: new.record.id, settings: Box::new(new.record.settings.clone()) };
        let update = "UPDATE events SET body = $1 WHERE thread = $2 AND seq = 1";
        sql.execute(update, &[Value::Text(&json_text(&own)?), Value::Text(thread)]).await?;
    }
    Ok(())
}
