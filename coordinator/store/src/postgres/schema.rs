//! The format of the tables: which version, and how an older one is brought up to date.
//!
//! Capstan's tables stand in a schema of their own, so that a database may be shared with others. Invariant: a newer format is never
//! changed.

use super::fault::{not_opened, open_error};
use super::place::Place;
use crate::error::StoreError;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, query, raw_sql};

/// One script per format. A script that was released is never changed.
const MIGRATIONS: [&str; 2] =
    [include_str!("../../migrations/postgres/0001_threads.sql"), include_str!("../../migrations/postgres/0002_queue.sql")];

/// The lock under which formats change: "CAPS" in ASCII. Others who open the database wait for it.
const LOCK: i64 = 0x4341_5053;

/// Rows of writers that wrote nothing for so long are removed: seven days in milliseconds.
const WRITERS_KEPT: i64 = 7 * 24 * 3600 * 1000;

/// Refuses a database that is too new or cannot hold the tables; then brings the format up to date.
pub(super) async fn prepare(connection: &mut PgConnection, place: &Place, now: i64) -> Result<(), StoreError> {
    let opened = |error: sqlx::Error| not_opened(&place.url, &error);
    let encoding: String = query("SELECT current_setting('server_encoding')")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(opened)?;
    if encoding != "UTF8" {
        let reason = format!("its encoding is {encoding}; make a database with the encoding UTF8");
        return Err(open_error(&place.url, reason));
    }
    if behind(connection, place).await? > 0 {
        let mut transaction = connection.begin().await.map_err(opened)?;
        query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await.map_err(opened)?;
        // Again under the lock, since another process may have been faster.
        let behind = behind(&mut transaction, place).await?;
        migrate(&mut transaction, &place.schema, behind).await.map_err(opened)?;
        transaction.commit().await.map_err(opened)?;
    }
    let old = now.saturating_sub(WRITERS_KEPT);
    query("DELETE FROM writers WHERE at < $1").bind(old).execute(connection).await.map(drop).map_err(opened)
}

/// How many formats the tables are behind.
async fn behind(connection: &mut PgConnection, place: &Place) -> Result<usize, StoreError> {
    let version = version(connection, &place.schema).await.map_err(|error| not_opened(&place.url, &error))?;
    let known = MIGRATIONS.len();
    let behind = usize::try_from(version).ok().and_then(|version| known.checked_sub(version));
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    behind.ok_or_else(|| StoreError::Newer { path: place.url.to_string(), found: version, known })
}

async fn version(connection: &mut PgConnection, schema: &str) -> Result<i64, sqlx::Error> {
    let exists = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'format'";
    let found: i64 = query(exists).bind(schema.to_owned()).fetch_one(&mut *connection).await?.try_get(0)?;
    match found {
        0 => Ok(0),
        _ => query("SELECT version FROM format").fetch_one(connection).await?.try_get(0),
    }
}

async fn migrate(connection: &mut PgConnection, schema: &str, behind: usize) -> Result<(), sqlx::Error> {
    if behind == MIGRATIONS.len() {
        let begin = format!(
            "CREATE SCHEMA IF NOT EXISTS \"{schema}\"; CREATE TABLE format (version BIGINT NOT NULL); INSERT INTO format VALUES (0)"
        );
        raw_sql(AssertSqlSafe(begin)).execute(&mut *connection).await?;
    }
    for script in MIGRATIONS.into_iter().skip(MIGRATIONS.len().saturating_sub(behind)) {
        raw_sql(script).execute(&mut *connection).await?;
        query("UPDATE format SET version = version + 1").execute(&mut *connection).await?;
    }
    Ok(())
}
