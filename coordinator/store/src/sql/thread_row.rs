//! A thread's row: made, and changed as a whole.

use super::connection::{Sql, Value};
use super::fault::Fault;
use super::{fence, said};
use crate::error::StoreError;
use crate::rows::{ThreadRow, signed};
use capstan_types::id::{Epoch, ThreadId};

const INSERT: &str = "INSERT INTO threads (id, owner, epoch, settings, created_at, updated_at, preview, name, archived_at, parent, \
                      cwd, input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, reasoning_output_tokens, \
                      micro_usd, last_seq) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0) ON CONFLICT DO NOTHING";

pub(super) async fn create(sql: &mut impl Sql, row: &ThreadRow) -> Result<Epoch, Fault> {
    let record = &row.record;
    let id = record.id.to_string();
    let spent = row.spent.map(Value::Number);
    let mut values = vec![
        Value::Text(&id),
        Value::Text(&record.owner),
        Value::Number(row.epoch),
        Value::Text(&row.settings),
        Value::Number(row.created_at),
        Value::Number(row.updated_at),
        Value::Words(&record.preview),
        Value::MaybeWords(record.name.as_deref()),
        Value::MaybeNumber(row.archived_at),
        Value::MaybeText(row.parent.as_deref()),
        Value::Text(record.settings.cwd.as_str()),
    ];
    values.extend(spent);
    if sql.execute(INSERT, &values).await? == 0 {
        return Err(Fault::Refused(StoreError::ThreadExists(record.id)));
    }
    // After the row is taken: a deletion that was on its way then has ended.
    if !sql.rows("SELECT thread FROM deleted WHERE thread = $1", &[Value::Text(&id)]).await?.is_empty() {
        return Err(Fault::Refused(StoreError::Deleted(record.id)));
    }
    said::told(sql, &id, said::PREVIEW, &record.preview).await?;
    if let Some(name) = &record.name {
        said::told(sql, &id, said::NAME, name).await?;
    }
    Ok(record.epoch)
}

pub(super) async fn take_over(sql: &mut impl Sql, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, Fault> {
    let next = signed("the epoch", seen.next().0)?;
    let update = "UPDATE threads SET owner = $1, epoch = $2 WHERE id = $3 AND epoch = $4";
    let id = thread.to_string();
    let values = [Value::Text(owner), Value::Number(next), Value::Text(&id), Value::Number(fence::stored(seen))];
    changed(sql, thread, seen, update, &values).await?;
    Ok(seen.next())
}

pub(super) async fn rename(sql: &mut impl Sql, thread: ThreadId, fence: Epoch, name: Option<&str>) -> Result<Epoch, Fault> {
    let id = thread.to_string();
    let update = "UPDATE threads SET name = $1 WHERE id = $2 AND epoch = $3";
    let values = [Value::MaybeWords(name), Value::Text(&id), Value::Number(fence::stored(fence))];
    changed(sql, thread, fence, update, &values).await?;
    said::forget(sql, &id, said::NAME).await?;
    if let Some(name) = name {
        said::told(sql, &id, said::NAME, name).await?;
    }
    Ok(fence)
}

pub(super) async fn archive(sql: &mut impl Sql, thread: ThreadId, fence: Epoch, at: Option<i64>) -> Result<Epoch, Fault> {
    let update = match at {
        Some(_) => "UPDATE threads SET archived_at = coalesce(archived_at, $1) WHERE id = $2 AND epoch = $3",
        None => "UPDATE threads SET archived_at = $1 WHERE id = $2 AND epoch = $3",
    };
    let id = thread.to_string();
    let values = [Value::MaybeNumber(at), Value::Text(&id), Value::Number(fence::stored(fence))];
    changed(sql, thread, fence, update, &values).await?;
    Ok(fence)
}

async fn changed(
    sql: &mut impl Sql,
    thread: ThreadId,
    fence: Epoch,
    update: &'static str,
    values: &[Value<'_>],
) -> Result<(), Fault> {
    let rows = sql.execute(update, values).await?;
    fence::passed(sql, thread, fence, usize::from(rows > 0)).await
}
