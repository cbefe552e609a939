//! An append in one statement, which is one way to the database and back instead of one for each record.
//!
//! It does what [`crate::sql::write::apply`] does, for the records that nearly every append is made of, and only says whether it worked:
//! when anything is refused the caller undoes it and asks `apply`, which knows why. The rules of refusal stand in one place, there.

use crate::rows::NewRow;
use crate::sql::said;
use capstan_types::id::{CallId, Epoch, ThreadId};
use sqlx::{PgConnection, Row, query};

const APPEND: &str = "\
    WITH fenced AS ( \
        UPDATE threads SET last_seq = last_seq + $1, updated_at = greatest(updated_at, $2), \
        input_tokens = input_tokens + $24, cached_input_tokens = cached_input_tokens + $25, \
        cache_write_input_tokens = cache_write_input_tokens + $26, output_tokens = output_tokens + $27, \
        reasoning_output_tokens = reasoning_output_tokens + $28, micro_usd = micro_usd + $29 \
        WHERE id = $3 AND epoch = $4 AND ($5 < 0 OR last_seq + 1 = $5) RETURNING last_seq - $1 AS base), \
    event AS ( \
        INSERT INTO events (thread, seq, at, turn, body) SELECT $3, base + past, at, turn, body FROM fenced, \
        unnest($6::bigint[], $7::bigint[], $8::text[], $9::text[]) AS new (past, at, turn, body)), \
    entry AS ( \
        INSERT INTO entries (thread, turn, after_seq, body) SELECT $3, turn, base + past, body FROM fenced, \
        unnest($10::bigint[], $11::text[], $12::text[]) WITH ORDINALITY AS new (past, turn, body, place) ORDER BY place), \
    word AS ( \
        INSERT INTO said (thread, kind, after_seq, words) SELECT $3, 'prompt', base + past, words FROM fenced, \
        unnest($13::bigint[], $14::text[]) AS new (past, words)), \
    asked AS ( \
        INSERT INTO calls (thread, id, turn, asked_after, asked) SELECT $3, id, turn, base + past, body FROM fenced, \
        unnest($15::bigint[], $16::text[], $17::text[], $18::text[]) WITH ORDINALITY AS new (past, id, turn, body, place) \
        ORDER BY place ON CONFLICT DO NOTHING RETURNING 1), \
    tried AS ( \
        INSERT INTO attempts (thread, call, attempt, body) SELECT $3, id, 1, body FROM fenced, \
        unnest($19::text[], $20::text[]) AS new (id, body)), \
    ended AS ( \
        UPDATE calls SET ended = new.body, ended_after = base + past FROM fenced, \
        unnest($21::bigint[], $22::text[], $23::text[]) AS new (past, id, body) \
        WHERE calls.thread = $3 AND calls.id = new.id AND calls.ended IS NULL RETURNING 1) \
    SELECT (SELECT count(*) FROM fenced), (SELECT count(*) FROM asked), (SELECT count(*) FROM ended)";

/// The records of one append, column by column. A record's `past` is how many events of the append came before it, itself included.
#[derive(Debug, Default)]
struct Columns {
    /// The first event's number; negative without events.
    first: i64,
    past: i64,
    events: (Vec<i64>, Vec<i64>, Vec<Option<String>>, Vec<String>),
    entries: (Vec<i64>, Vec<String>, Vec<String>),
    words: (Vec<i64>, Vec<String>),
    asked: (Vec<i64>, Vec<String>, Vec<String>, Vec<String>),
    tried: (Vec<String>, Vec<String>),
    ended: (Vec<i64>, Vec<String>, Vec<String>),
    /// What all of it cost, in the order of the row.
    spent: [i64; 6],
}

impl Columns {
    /// `None` when they are not as simple as that.
    fn of(rows: &[NewRow]) -> Option<Self> {
        let mut columns = Self { first: -1, ..Self::default() };
        for row in rows {
            columns.add(row)?;
        }
        Some(columns)
    }

    fn add(&mut self, row: &NewRow) -> Option<()> {
        match row {
            NewRow::Event { number, at, turn, body, .. } => {
                self.first = if self.past == 0 { *number } else { self.first };
                (*number == self.first.checked_add(self.past)?).then_some(())?;
                self.past += 1;
                self.events.0.push(self.past);
                self.events.1.push(*at);
                self.events.2.push(turn.clone());
                self.events.3.push(body.clone());
            }
            NewRow::Entry { turn, body, said } => {
                self.entries.0.push(self.past);
                self.entries.1.push(turn.clone());
                self.entries.2.push(body.clone());
                if let Some(words) = said.as_deref().and_then(said::findable) {
                    self.words.0.push(self.past);
                    self.words.1.push(words);
                }
            }
            NewRow::CallAsked { call, turn, body } => {
                self.asked.0.push(self.past);
                self.asked.1.push(call.to_string());
                self.asked.2.push(turn.clone());
                self.asked.3.push(body.clone());
            }
            // The first try of a call that is asked for in the same append: nothing else can have been stored of it.
            NewRow::CallAttempted { attempt, body } if attempt.attempt.0 == 1 && self.is_new(attempt.call) => {
                self.tried.0.push(attempt.call.to_string());
                self.tried.1.push(body.clone());
            }
            // One statement does not see what it inserts.
            NewRow::CallEnded { call, body } if !self.asked.1.contains(&call.to_string()) => {
                self.ended.0.push(self.past);
                self.ended.1.push(call.to_string());
                self.ended.2.push(body.clone());
            }
            NewRow::Cost(spent) => {
                for (sum, more) in self.spent.iter_mut().zip(spent) {
                    *sum = sum.checked_add(*more)?;
                }
            }
            NewRow::CallAttempted { .. }
            | NewRow::CallEnded { .. }
            | NewRow::Preview(_)
            | NewRow::Settings { .. }
            | NewRow::Queued { .. }
            | NewRow::Unqueued(_) => return None,
        }
        Some(())
    }

    /// Asked for in this append, and not tried in it yet.
    fn is_new(&self, call: CallId) -> bool {
        let call = call.to_string();
        self.asked.1.contains(&call) && !self.tried.0.contains(&call)
    }
}

/// Appends in one statement, inside an open transaction. `false`: it did not, or not wholly; what it did must be undone.
pub(super) async fn append(
    connection: &mut PgConnection,
    thread: ThreadId,
    fence: Epoch,
    rows: &[NewRow],
    at: i64,
) -> Result<bool, sqlx::Error> {
    let (Some(columns), Ok(fence)) = (Columns::of(rows), i64::try_from(fence.0)) else { return Ok(false) };
    let wanted = (1, columns.asked.0.len(), columns.ended.0.len());
    let (events, entries, asked, ended) = (columns.events, columns.entries, columns.asked, columns.ended);
    let asking = query(APPEND).bind(columns.past).bind(at).bind(thread.to_string()).bind(fence).bind(columns.first);
    let asking = asking.bind(events.0).bind(events.1).bind(events.2).bind(events.3);
    let asking = asking.bind(entries.0).bind(entries.1).bind(entries.2).bind(columns.words.0).bind(columns.words.1);
    let asking = asking.bind(asked.0).bind(asked.1).bind(asked.2).bind(asked.3);
    let asking = asking.bind(columns.tried.0).bind(columns.tried.1).bind(ended.0).bind(ended.1).bind(ended.2);
    let asking = columns.spent.into_iter().fold(asking, |asking, sum| asking.bind(sum));
    let row = asking.fetch_one(connection).await?;
    let count = |index| row.try_get::<i64, _>(index).map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    Ok((count(0)?, count(1)?, count(2)?) == wanted)
}
