//! The epoch's check.

use super::connection::{Sql, Value};
use super::fault::Fault;
use crate::error::StoreError;
use crate::rows::unsigned;
use capstan_types::id::{Epoch, ThreadId};

/// `rows` is what an update that asks for the thread and its epoch has changed; if that is nothing, this says why.
pub(super) async fn passed(sql: &mut impl Sql, thread: ThreadId, fence: Epoch, rows: usize) -> Result<(), Fault> {
    if rows > 0 { Ok(()) } else { Err(why_not(sql, thread, fence).await?) }
}

async fn why_not(sql: &mut impl Sql, thread: ThreadId, fence: Epoch) -> Result<Fault, Fault> {
    let found = sql.rows("SELECT epoch FROM threads WHERE id = $1", &[Value::Text(&thread.to_string())]).await?;
    let refusal = match found.first() {
        Some(row) => StoreError::Fenced { thread, fence, newest: Epoch(unsigned("an epoch", row.number(0)?)?) },
        None => StoreError::NoThread(thread),
    };
    Ok(Fault::Refused(refusal))
}

/// An epoch as the store compares it. One that no thread can have is as good as a wrong one.
pub(super) fn stored(epoch: Epoch) -> i64 {
    i64::try_from(epoch.0).unwrap_or(-1)
}
