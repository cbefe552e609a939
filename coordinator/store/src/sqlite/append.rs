//! An append in one script, which is one way to SQLite's thread and back instead of one for each record.
//!
//! It does what [`crate::sql::write::apply`] does, for the records that nearly every append is made of, and only says whether it worked:
//! when anything is refused the caller undoes it and asks `apply`, which knows why. The rules of refusal stand in one place, there.

use super::adapter::On;
use crate::rows::NewRow;
use crate::sql::connection::{Ask as _, Value};
use crate::sql::fault::Fault;
use crate::sql::said;
use crate::sql::write::Write;
use capstan_types::id::{CallId, Epoch};
use sqlx::SqliteConnection;
use std::borrow::Cow;

/// The most records of a script: each order of records is a text of its own, whose statements SQLite keeps prepared.
const MOST: usize = 16;

const ADVANCE: &str = "UPDATE threads SET last_seq = last_seq + ?, updated_at = max(updated_at, ?) \
                       WHERE id = ? AND epoch = ? AND (? < 0 OR last_seq + 1 = ?)";

const EVENT: &str = "INSERT INTO events (thread, seq, at, turn, body) VALUES (?, ?, ?, ?, ?)";

// The thread's number is already that after the whole append; what comes after the record is taken off.
const ENTRY: &str =
    "INSERT INTO entries (thread, after_seq, turn, body) VALUES (?, (SELECT last_seq FROM threads WHERE id = ?) - ?, ?, ?)";

const WORDS: &str =
    "INSERT INTO said (thread, after_seq, kind, words) VALUES (?, (SELECT last_seq FROM threads WHERE id = ?) - ?, ?, ?)";

const ASKED: &str = "INSERT INTO calls (thread, asked_after, id, turn, asked) \
                     VALUES (?, (SELECT last_seq FROM threads WHERE id = ?) - ?, ?, ?, ?) ON CONFLICT DO NOTHING";

const TRIED: &str = "INSERT INTO attempts (thread, call, attempt, body) VALUES (?, ?, 1, ?)";

const ENDED: &str = "UPDATE calls SET ended_after = (SELECT last_seq FROM threads WHERE id = ?) - ?, ended = ? \
                     WHERE thread = ? AND id = ? AND ended IS NULL";

const SPENT: &str = "UPDATE threads SET input_tokens = input_tokens + ?, cached_input_tokens = cached_input_tokens + ?, \
                     cache_write_input_tokens = cache_write_input_tokens + ?, output_tokens = output_tokens + ?, \
                     reasoning_output_tokens = reasoning_output_tokens + ?, micro_usd = micro_usd + ? WHERE id = ?";

// Around what changes rows, so that the difference is how many it changed.
const COUNT: &str = "SELECT total_changes()";

/// A value, kept until the script runs.
#[derive(Debug)]
enum Bound<'a> {
    /// The thread.
    Thread,
    Text(Cow<'a, str>),
    MaybeText(Option<&'a str>),
    Number(i64),
}

impl Bound<'_> {
    fn of<'v>(&'v self, thread: &'v str) -> Value<'v> {
        match self {
            Self::Thread => Value::Text(thread),
            Self::Text(text) => Value::Text(text),
            Self::MaybeText(text) => Value::MaybeText(*text),
            Self::Number(number) => Value::Number(*number),
        }
    }
}

/// Statements of which each must change one row, and their values in order.
#[derive(Debug)]
pub(super) struct Script<'a> {
    thread: String,
    fence: Epoch,
    text: String,
    statements: i64,
    values: Vec<Bound<'a>>,
    /// How many events are still to come.
    rest: i64,
    /// The number of the next event, once one has come.
    next: Option<i64>,
    /// The calls that it asks for and has not tried.
    untried: Vec<CallId>,
}

impl<'a> Script<'a> {
    /// A script that begins with the statement `opening`; `None` when the write is not an append, or not a simple one.
    pub(super) fn of(opening: &str, write: &'a Write) -> Option<Self> {
        let Write::Append { thread, fence, rows, at } = write else { return None };
        let events = || rows.iter().filter_map(|row| if let NewRow::Event { number, .. } = row { Some(*number) } else { None });
        let (first, rest) = (events().next().unwrap_or(-1), i64::try_from(events().count()).ok()?);
        let mut script = Self {
            thread: thread.to_string(),
            fence: *fence,
            text: format!("{opening};{COUNT};"),
            statements: 0,
            values: Vec::new(),
            rest,
            next: None,
            untried: Vec::new(),
        };
        let (epoch, first) = (Bound::Number(i64::try_from(fence.0).ok()?), || Bound::Number(first));
        script.add(ADVANCE, [Bound::Number(rest), Bound::Number(*at), Bound::Thread, epoch, first(), first()]);
        for row in (rows.len() <= MOST).then_some(rows)? {
            script.keep(row)?;
        }
        script.text.push_str(COUNT);
        Some(script)
    }

    fn add(&mut self, statement: &str, values: impl IntoIterator<Item = Bound<'a>>) {
        self.text.push_str(statement);
        self.text.push(';');
        self.statements += 1;
        self.values.extend(values);
    }

    /// The same for a row that says where in the thread's log it stands.
    fn place(&mut self, statement: &str, values: impl IntoIterator<Item = Bound<'a>>) {
        let place = [Bound::Thread, Bound::Thread, Bound::Number(self.rest)];
        self.add(statement, place.into_iter().chain(values));
    }

    fn keep(&mut self, row: &'a NewRow) -> Option<()> {
        match row {
            NewRow::Event { number, at, turn, body, .. } => {
                (*number == self.next.unwrap_or(*number)).then_some(())?;
                (self.next, self.rest) = (Some(number.checked_add(1)?), self.rest - 1);
                let turn = Bound::MaybeText(turn.as_deref());
                self.add(EVENT, [Bound::Thread, Bound::Number(*number), Bound::Number(*at), turn, text(body)]);
            }
            NewRow::Entry { turn, body, said } => {
                self.place(ENTRY, [text(turn), text(body)]);
                if let Some(words) = said.as_deref().and_then(said::findable) {
                    self.place(WORDS, [text(said::PROMPT), Bound::Text(Cow::Owned(words))]);
                }
            }
            NewRow::Cost(spent) => self.add(SPENT, spent.iter().copied().map(Bound::Number).chain([Bound::Thread])),
            NewRow::CallAsked { call, turn, body } => {
                self.untried.push(*call);
                self.place(ASKED, [id(*call), text(turn), text(body)]);
            }
            // The first try of a call that is asked for in the same append: nothing else can have been stored of it.
            NewRow::CallAttempted { attempt, body } if attempt.attempt.0 == 1 => {
                let asked = self.untried.iter().position(|call| *call == attempt.call)?;
                self.untried.swap_remove(asked);
                self.add(TRIED, [Bound::Thread, id(attempt.call), text(body)]);
            }
            NewRow::CallEnded { call, body } => {
                self.add(ENDED, [Bound::Thread, Bound::Number(self.rest), text(body), Bound::Thread, id(*call)]);
            }
            NewRow::CallAttempted { .. }
            | NewRow::Preview(_)
            | NewRow::Settings { .. }
            | NewRow::Queued { .. }
            | NewRow::Unqueued(_) => return None,
        }
        Some(())
    }

    /// Runs it: the thread's epoch, or nothing when it was not done, or not wholly; what it did must be undone then.
    pub(super) async fn run(&self, connection: &mut SqliteConnection) -> Result<Option<Epoch>, Fault> {
        let values: Vec<Value<'_>> = self.values.iter().map(|bound| bound.of(&self.thread)).collect();
        match On(connection).rows(&self.text, &values).await?.as_slice() {
            [before, after] if after.number(0)?.saturating_sub(before.number(0)?) == self.statements => Ok(Some(self.fence)),
            _ => Ok(None),
        }
    }
}

fn text(text: &str) -> Bound<'_> {
    Bound::Text(Cow::Borrowed(text))
}

fn id(call: CallId) -> Bound<'static> {
    Bound::Text(Cow::Owned(call.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;
    use capstan_types::call::CallAttempt;
    use capstan_types::id::{Attempt, EventSeq, ThreadId, TurnId};
    use sqlx::{Connection as _, raw_sql};

    const THREAD: ThreadId = ThreadId::from_u128(1);
    const CALL: CallId = CallId::from_u128(2);

    fn event(number: i64) -> NewRow {
        let seq = EventSeq(u64::try_from(number).unwrap());
        NewRow::Event { seq, number, at: 5, turn: None, body: "{}".into() }
    }

    fn tried() -> NewRow {
        let node = "n1".parse().unwrap();
        let attempt =
            CallAttempt { call: CALL, attempt: Attempt(1), node, session: None, started_at: capstan_types::time::UnixMillis(1) };
        NewRow::CallAttempted { attempt, body: "t".into() }
    }

    fn write(epoch: u64, rows: Vec<NewRow>) -> Write {
        Write::Append { thread: THREAD, fence: Epoch(epoch), rows, at: 9 }
    }

    async fn store() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        schema::prepare_memory(&mut connection).await.unwrap();
        let row = format!(
            "INSERT INTO threads (id, owner, epoch, settings, created_at, updated_at, preview) VALUES ('{THREAD}', 'c', 1, '{{}}', 0, 0, '')"
        );
        raw_sql(sqlx::AssertSqlSafe(row)).execute(&mut connection).await.unwrap();
        connection
    }

    async fn numbers(connection: &mut SqliteConnection, select: &str) -> Vec<i64> {
        let rows = On(connection).rows(select, &[]).await.unwrap();
        rows.iter().map(|row| row.number(0).unwrap()).collect()
    }

    #[tokio::test]
    async fn what_a_step_records_is_one_script_and_stands_where_it_was_put() {
        let mut connection = store().await;
        let turn = TurnId::from_u128(7).to_string();
        let entry = |said: Option<&str>| NewRow::Entry { turn: turn.clone(), body: "{}".into(), said: said.map(str::to_owned) };
        let asked = NewRow::CallAsked { call: CALL, turn: turn.clone(), body: "a".into() };
        let ended = NewRow::CallEnded { call: CALL, body: "e".into() };
        let rows = vec![entry(Some("Hi")), event(1), NewRow::Cost([1; 6]), asked, tried(), entry(None), event(2), ended];
        let answer = write(1, rows);
        let epoch = Script::of("BEGIN IMMEDIATE", &answer).unwrap().run(&mut connection).await.unwrap();
        assert_eq!(epoch, Some(Epoch(1)));
        raw_sql("COMMIT").execute(&mut connection).await.unwrap();
        assert_eq!(numbers(&mut connection, "SELECT last_seq FROM threads").await, [2]);
        assert_eq!(numbers(&mut connection, "SELECT after_seq FROM entries ORDER BY position").await, [0, 1]);
        assert_eq!(numbers(&mut connection, "SELECT asked_after FROM calls").await, [1]);
        assert_eq!(numbers(&mut connection, "SELECT ended_after FROM calls").await, [2]);
        assert_eq!(numbers(&mut connection, "SELECT count(*) FROM attempts").await, [1]);
        assert_eq!(numbers(&mut connection, "SELECT micro_usd FROM threads").await, [1]);
        assert_eq!(numbers(&mut connection, "SELECT count(*) FROM said WHERE words = 'hi'").await, [1]);
    }

    #[tokio::test]
    async fn what_must_be_refused_does_not_pass_as_done() {
        let ended = || NewRow::CallEnded { call: CALL, body: "e".into() };
        let refused = [
            (write(2, vec![event(1)]), "a stale owner's"),
            (write(1, vec![event(2)]), "a number too far"),
            (write(1, vec![ended()]), "an end of nothing"),
        ];
        for (write, why) in refused {
            let mut connection = store().await;
            let script = Script::of("BEGIN IMMEDIATE", &write).unwrap();
            assert!(!matches!(script.run(&mut connection).await, Ok(Some(_))), "{why}");
        }
        let simple = |rows| Script::of("BEGIN IMMEDIATE", &write(1, rows)).is_some();
        assert!(!simple(vec![event(1), event(3)]), "a hole");
        assert!(!simple(vec![tried()]), "a try of a call that was asked for before");
        assert!(!simple((1..=17).map(event).collect()), "more than a script holds");
    }
}
