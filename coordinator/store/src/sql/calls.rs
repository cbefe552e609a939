//! The ledger of calls: asked for, tried, ended once.

use super::connection::{Sql, Value};
use super::fault::Fault;
use crate::error::StoreError;
use capstan_types::call::CallAttempt;
use capstan_types::id::{Attempt, CallId};

pub(super) async fn ask(sql: &mut impl Sql, thread: &str, call: CallId, turn: &str, after: i64, body: &str) -> Result<(), Fault> {
    let insert = "INSERT INTO calls (thread, id, turn, asked_after, asked) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let id = call.to_string();
    let values = [Value::Text(thread), Value::Text(&id), Value::Text(turn), Value::Number(after), Value::Text(body)];
    match sql.execute(insert, &values).await? {
        0 => Err(Fault::Refused(StoreError::CallExists(call))),
        _ => Ok(()),
    }
}

pub(super) async fn attempt(sql: &mut impl Sql, thread: &str, attempt: &CallAttempt, body: &str) -> Result<(), Fault> {
    let id = attempt.call.to_string();
    let key = [Value::Text(thread), Value::Text(&id)];
    let select = "SELECT CASE WHEN ended IS NULL THEN 0 ELSE 1 END, \
                  coalesce((SELECT max(attempt) FROM attempts WHERE attempts.thread = $1 AND attempts.call = $2), 0) \
                  FROM calls WHERE thread = $1 AND id = $2";
    let found = sql.rows(select, &key).await?;
    let row = found.first().ok_or(Fault::Refused(StoreError::NoCall(attempt.call)))?;
    if row.number(0)? != 0 {
        return Err(Fault::Refused(StoreError::CallEnded(attempt.call)));
    }
    let (number, last) = (i64::from(attempt.attempt.0), row.number(1)?);
    if number < 1 || (number != last && number != last.saturating_add(1)) {
        let next = Attempt(u32::try_from(last.saturating_add(1)).unwrap_or(u32::MAX));
        return Err(Fault::Refused(StoreError::AttemptOutOfOrder { call: attempt.call, next, found: attempt.attempt }));
    }
    let insert = "INSERT INTO attempts (thread, call, attempt, body) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (thread, call, attempt) DO UPDATE SET body = excluded.body";
    let values = [Value::Text(thread), Value::Text(&id), Value::Number(number), Value::Text(body)];
    sql.execute(insert, &values).await.map(drop)
}

pub(super) async fn end(sql: &mut impl Sql, thread: &str, call: CallId, after: i64, body: &str) -> Result<(), Fault> {
    let update = "UPDATE calls SET ended = $1, ended_after = $2 WHERE thread = $3 AND id = $4 AND ended IS NULL";
    let id = call.to_string();
    let (thread, key) = (Value::Text(thread), Value::Text(&id));
    if sql.execute(update, &[Value::Text(body), Value::Number(after), thread, key]).await? > 0 {
        return Ok(());
    }
    let found = sql.rows("SELECT id FROM calls WHERE thread = $1 AND id = $2", &[thread, key]).await?;
    Err(Fault::Refused(if found.is_empty() { StoreError::NoCall(call) } else { StoreError::CallEnded(call) }))
}
