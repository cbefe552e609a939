//! The format of the file: whose it is, which version, and how an older one is brought up to date.
//!
//! `application_id` says that the file is Capstan's, `user_version` the number of its format. Invariant: a file that is not ours or is
//! newer than this build is never changed, not even in its journal mode.

use super::adapter::On;
use super::fault::{failed, is_busy, not_opened, open_error};
use super::upgrade;
use crate::error::StoreError;
use crate::sql::fault::Fault;
use sqlx::{Row, SqliteConnection, query, raw_sql};
use std::path::Path;
use std::time::{Duration, Instant};

/// "CAPS" in ASCII.
const APPLICATION_ID: i64 = 0x4341_5053;

/// One script per format; the first makes format 1 of an empty file. Each ends by setting the format's number. A script that was
/// released is never changed.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/sqlite/0001_threads.sql"),
    include_str!("../../migrations/sqlite/0002_thread_life.sql"),
    include_str!("../../migrations/sqlite/0003_queue.sql"),
];

/// How long opening waits for another process that switches the same new file to the write-ahead log.
const SWITCH_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    application: i64,
    version: i64,
    /// How many tables, indexes and the like there are.
    objects: i64,
}

/// Refuses a file that is not ours or too new; then turns on the write-ahead log and brings the format up to date.
pub(super) async fn prepare_file(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    pending(connection, path).await?;
    turn_on_log(connection, path).await?;
    migrate(connection, path).await
}

/// Makes the newest format in an empty memory.
pub(super) async fn prepare_memory(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    migrate(connection, Path::new(":memory:")).await
}

/// How many formats the file is behind.
async fn pending(connection: &mut SqliteConnection, path: &Path) -> Result<usize, StoreError> {
    let format = format_of(connection).await.map_err(|error| not_opened(path, error))?;
    let known = MIGRATIONS.len();
    if format == (Format { application: 0, version: 0, objects: 0 }) {
        return Ok(known);
    }
    if format.application != APPLICATION_ID {
        let reason = "it is the database of another program; move the file away, or choose another CAPSTAN_HOME";
        return Err(open_error(path, reason.to_owned()));
    }
    let behind = usize::try_from(format.version).ok().and_then(|version| known.checked_sub(version));
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    behind.ok_or_else(|| StoreError::Newer { path: path.display().to_string(), found: format.version, known })
}

async fn format_of(connection: &mut SqliteConnection) -> Result<Format, sqlx::Error> {
    let read = "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), \
                (SELECT count(*) FROM sqlite_schema)";
    let row = query(read).fetch_one(connection).await?;
    Ok(Format { application: row.try_get(0)?, version: row.try_get(1)?, objects: row.try_get(2)? })
}

async fn turn_on_log(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let began = Instant::now();
    loop {
        // SQLite does not wait by itself for the lock that this needs, since waiting could never end between two that switch.
        match raw_sql("PRAGMA journal_mode = WAL").execute(&mut *connection).await {
            Ok(_) => return Ok(()),
            Err(error) if is_busy(&error) && began.elapsed() < SWITCH_PATIENCE => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(not_opened(path, error)),
        }
    }
}

/// Applies what is missing, all of it or nothing. Looks again under the lock, since another process may have been faster.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    if pending(connection, path).await? == 0 {
        return Ok(());
    }
    raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(|error| not_opened(path, error))?;
    let migrated = match pending(connection, path).await {
        Ok(behind) => apply(connection, behind).await.map_err(|fault| fault.told(|error| not_opened(path, error))),
        Err(error) => Err(error),
    };
    match migrated {
        Ok(()) => raw_sql("COMMIT").execute(connection).await.map(drop).map_err(failed),
        Err(error) => {
            // The connection is given up by the caller, and with it whatever this could not undo.
            let _ = raw_sql("ROLLBACK").execute(connection).await;
            Err(error)
        }
    }
}

async fn apply(connection: &mut SqliteConnection, behind: usize) -> Result<(), Fault> {
    for (format, script) in (1..).zip(MIGRATIONS).skip(MIGRATIONS.len().saturating_sub(behind)) {
        raw_sql(script).execute(&mut *connection).await?;
        if format == upgrade::FINDABLE_SINCE {
            upgrade::make_findable(&mut On(connection)).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod golden;
