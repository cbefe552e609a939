//! Records appended to a thread.

use super::connection::{Sql, Value};
use super::fault::Fault;
use super::{calls, fence, queue, said};
use crate::error::StoreError;
use crate::rows::{NewRow, unsigned};
use capstan_types::id::{Epoch, EventSeq, ThreadId};

// A clock that jumps back does not make a thread look older than it was.
const ADVANCE: &str = "UPDATE threads SET last_seq = last_seq + $1, updated_at = CASE WHEN updated_at < $2 THEN $2 ELSE updated_at END \
                       WHERE id = $3 AND epoch = $4 RETURNING last_seq";

const EVENT: &str = "INSERT INTO events (thread, seq, at, turn, body) VALUES ($1, $2, $3, $4, $5)";

const ENTRY: &str = "INSERT INTO entries (thread, turn, after_seq, body) VALUES ($1, $2, $3, $4)";

const SPENT: &str = "UPDATE threads SET input_tokens = input_tokens + $1, cached_input_tokens = cached_input_tokens + $2, \
                     cache_write_input_tokens = cache_write_input_tokens + $3, output_tokens = output_tokens + $4, \
                     reasoning_output_tokens = reasoning_output_tokens + $5, micro_usd = micro_usd + $6 WHERE id = $7";

pub(super) async fn append(sql: &mut impl Sql, thread: ThreadId, fence: Epoch, rows: &[NewRow], at: i64) -> Result<Epoch, Fault> {
    let id = thread.to_string();
    let events = rows.iter().filter(|row| matches!(row, NewRow::Event { .. })).count();
    let events = i64::try_from(events).unwrap_or(i64::MAX);
    let values = [Value::Number(events), Value::Number(at), Value::Text(&id), Value::Number(fence::stored(fence))];
    let advanced = sql.rows(ADVANCE, &values).await?;
    fence::passed(sql, thread, fence, advanced.len()).await?;
    let after = advanced.first().map_or(Ok(0), |row| row.number(0))?.saturating_sub(events);
    let mut log = Log { thread, id: &id, last: EventSeq(unsigned("an event's number", after)?), after };
    for row in rows {
        log.keep(sql, row).await?;
    }
    Ok(fence)
}

/// A thread's log while records are added to it.
struct Log<'a> {
    thread: ThreadId,
    id: &'a str,
    last: EventSeq,
    /// The same, in the store's form.
    after: i64,
}

impl Log<'_> {
    async fn keep(&mut self, sql: &mut impl Sql, row: &NewRow) -> Result<(), Fault> {
        match row {
            NewRow::Event { seq, number, at, turn, body } => {
                if *seq != self.last.next() {
                    let refusal = StoreError::OutOfOrder { thread: self.thread, next: self.last.next(), found: *seq };
                    return Err(Fault::Refused(refusal));
                }
                (self.last, self.after) = (*seq, *number);
                let turn = Value::MaybeText(turn.as_deref());
                let values = [Value::Text(self.id), Value::Number(*number), Value::Number(*at), turn, Value::Text(body)];
                sql.execute(EVENT, &values).await.map(drop)
            }
            NewRow::Entry { turn, body, said } => {
                let values = [Value::Text(self.id), Value::Text(turn), Value::Number(self.after), Value::Text(body)];
                sql.execute(ENTRY, &values).await?;
                match said {
                    Some(text) => said::at(sql, self.id, said::PROMPT, self.after, text).await,
                    None => Ok(()),
                }
            }
            NewRow::Preview(words) => self.preview(sql, words).await,
            NewRow::Settings { body, cwd } => {
                let update = "UPDATE threads SET settings = $1, cwd = $2 WHERE id = $3";
                sql.execute(update, &[Value::Text(body), Value::Text(cwd), Value::Text(self.id)]).await.map(drop)
            }
            NewRow::Cost(spent) => {
                let values: Vec<_> = spent.iter().copied().map(Value::Number).chain([Value::Text(self.id)]).collect();
                sql.execute(SPENT, &values).await.map(drop)
            }
            NewRow::CallAsked { call, turn, body } => calls::ask(sql, self.id, *call, turn, self.after, body).await,
            NewRow::CallAttempted { attempt, body } => calls::attempt(sql, self.id, attempt, body).await,
            NewRow::Queued { turn, body } => queue::put(sql, self.id, turn, body).await,
            NewRow::Unqueued(turn) => queue::take(sql, self.id, turn).await,
            NewRow::CallEnded { call, body } => calls::end(sql, self.id, *call, self.after, body).await,
        }
    }

    async fn preview(&self, sql: &mut impl Sql, words: &str) -> Result<(), Fault> {
        let update = "UPDATE threads SET preview = $1 WHERE id = $2 AND preview = ''";
        match sql.execute(update, &[Value::Words(words), Value::Text(self.id)]).await? {
            0 => Ok(()),
            _ => said::told(sql, self.id, said::PREVIEW, words).await,
        }
    }
}
