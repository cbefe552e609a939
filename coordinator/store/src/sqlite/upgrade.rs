//! What a format needs that SQL cannot do: to fold text as Rust does, so that old words are found like new ones.

use crate::rows::{json, said_in};
use crate::sql::connection::{Sql, Value};
use crate::sql::fault::Fault;
use crate::sql::said;

/// The format whose threads are found by their words.
pub(super) const FINDABLE_SINCE: i32 = 2;

/// Entries that are read at a time, so that a large store is not held in memory.
const PAGE: i64 = 500;

/// Makes the threads of an older format findable.
pub(super) async fn make_findable(sql: &mut impl Sql) -> Result<(), Fault> {
    for row in sql.rows("SELECT id, preview FROM threads", &[]).await? {
        said::told(sql, row.text(0)?, said::PREVIEW, row.text(1)?).await?;
    }
    let select = "SELECT position, thread, after_seq, body FROM entries WHERE position > $1 ORDER BY position LIMIT $2";
    let mut last = 0;
    loop {
        let page = sql.rows(select, &[Value::Number(last), Value::Number(PAGE)]).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.number(0)?;
        for row in &page {
            if let Some(text) = said_in(json("an entry", row.text(3)?)?) {
                said::at(sql, row.text(1)?, said::PROMPT, row.number(2)?, &text).await?;
            }
        }
    }
}
