//! Turns that wait.

use super::connection::{Ask, Sql, Value};
use super::fault::Fault;
use crate::rows::{id, json};
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::thread::TurnInput;

/// Puts a turn behind those that wait. One that waits already keeps its place.
pub(super) async fn put(sql: &mut impl Sql, thread: &str, turn: &str, body: &str) -> Result<(), Fault> {
    let insert = "INSERT INTO queued (thread, turn, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    sql.execute(insert, &[Value::Text(thread), Value::Text(turn), Value::Text(body)]).await.map(drop)
}

/// Takes a turn out, if it waits.
pub(super) async fn take(sql: &mut impl Sql, thread: &str, turn: &str) -> Result<(), Fault> {
    let delete = "DELETE FROM queued WHERE thread = $1 AND turn = $2";
    sql.execute(delete, &[Value::Text(thread), Value::Text(turn)]).await.map(drop)
}

/// Those that wait, in order.
pub(crate) async fn queued(sql: &mut impl Ask, thread: ThreadId) -> Result<Vec<(TurnId, TurnInput)>, Fault> {
    let select = "SELECT turn, body FROM queued WHERE thread = $1 ORDER BY position";
    let rows = sql.rows(select, &[Value::Text(&thread.to_string())]).await?;
    rows.iter().map(|row| Ok((id("a turn's id", row.text(0)?)?, json("what a turn begins with", row.text(1)?)?))).collect()
}
