//! The words by which threads are found: a thread's name, its preview, and what people said in it, in lower case.

use super::connection::{Sql, Value};
use super::fault::Fault;

pub(crate) const NAME: &str = "name";
pub(crate) const PREVIEW: &str = "preview";
pub(crate) const PROMPT: &str = "prompt";

/// How much of one text can be found, in bytes: a log that was pasted should not fill the store twice.
const MOST: usize = 32 * 1024;

/// Makes a text findable.
pub(crate) async fn told(sql: &mut impl Sql, thread: &str, kind: &'static str, text: &str) -> Result<(), Fault> {
    at(sql, thread, kind, 0, text).await
}

/// The same, for a text that was said after the event `seq`.
pub(crate) async fn at(sql: &mut impl Sql, thread: &str, kind: &'static str, seq: i64, text: &str) -> Result<(), Fault> {
    let Some(words) = findable(text) else { return Ok(()) };
    let insert = "INSERT INTO said (thread, kind, after_seq, words) VALUES ($1, $2, $3, $4)";
    let values = [Value::Text(thread), Value::Text(kind), Value::Number(seq), Value::Text(&words)];
    sql.execute(insert, &values).await.map(drop)
}

/// What is kept of a text to find it by.
pub(crate) fn findable(text: &str) -> Option<String> {
    let words = folded(&text[..text.floor_char_boundary(MOST)]);
    (!words.trim().is_empty()).then_some(words)
}

/// Makes the texts of one kind unfindable.
pub(super) async fn forget(sql: &mut impl Sql, thread: &str, kind: &'static str) -> Result<(), Fault> {
    let delete = "DELETE FROM said WHERE thread = $1 AND kind = $2";
    sql.execute(delete, &[Value::Text(thread), Value::Text(kind)]).await.map(drop)
}

/// A text as it is compared: in lower case, and without NUL, which PostgreSQL does not keep.
pub(super) fn folded(text: &str) -> String {
    text.replace('\0', " ").to_lowercase()
}
