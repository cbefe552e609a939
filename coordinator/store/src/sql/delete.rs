//! A thread's end.

use super::connection::{Sql, Value};
use super::fault::Fault;
use super::fence;
use capstan_types::id::{Epoch, ThreadId};

/// Every table with rows of a thread, those that refer to others first.
const ROWS: [&str; 7] = [
    "DELETE FROM queued WHERE thread = $1",
    "DELETE FROM said WHERE thread = $1",
    "DELETE FROM attempts WHERE thread = $1",
    "DELETE FROM calls WHERE thread = $1",
    "DELETE FROM entries WHERE thread = $1",
    "DELETE FROM events WHERE thread = $1",
    "DELETE FROM threads WHERE id = $1",
];

pub(super) async fn delete(sql: &mut impl Sql, thread: ThreadId, fence: Epoch, at: i64) -> Result<Epoch, Fault> {
    let id = thread.to_string();
    // Changes nothing, and holds the row, so that no other owner comes between this and the rest.
    let hold = "UPDATE threads SET epoch = epoch WHERE id = $1 AND epoch = $2";
    let held = sql.execute(hold, &[Value::Text(&id), Value::Number(fence::stored(fence))]).await?;
    fence::passed(sql, thread, fence, usize::from(held > 0)).await?;
    for statement in ROWS {
        sql.execute(statement, &[Value::Text(&id)]).await?;
    }
    sql.execute("INSERT INTO deleted (thread, at) VALUES ($1, $2)", &[Value::Text(&id), Value::Number(at)]).await?;
    Ok(fence)
}
