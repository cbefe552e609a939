//! What PostgreSQL and the way to it say, as one of the store's errors.

use super::url::PostgresUrl;
use crate::error::StoreError;
use sqlx::error::DatabaseError;

// Codes of PostgreSQL (appendix A of its manual); those of two characters are whole classes.
const CONNECTION: &str = "08";
const SHUTDOWN: [&str; 3] = ["57P01", "57P02", "57P03"];
const IDLE_TOO_LONG: &str = "25P03";
const TOO_MANY_CONNECTIONS: &str = "53300";
const DISK_FULL: &str = "53100";
const IN_THE_WAY: [&str; 2] = ["40001", "40P01"];
const TOO_LATE: [&str; 2] = ["57014", "55P03"];
const READ_ONLY: &str = "25006";
const NOT_ALLOWED: &str = "42501";

/// Whether it may go well on another connection.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        other => code(other).is_some_and(|code| {
            code.starts_with(CONNECTION)
                || SHUTDOWN.contains(&code.as_str())
                || [IDLE_TOO_LONG, TOO_MANY_CONNECTIONS].contains(&code.as_str())
        }),
    }
}

/// Whether another transaction was in the way, so that the same may go well now.
pub(super) fn was_in_the_way(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| IN_THE_WAY.contains(&code.as_str()))
}

/// For a store that is open.
pub(super) fn failed(error: &sqlx::Error) -> StoreError {
    match code(error).as_deref() {
        Some(DISK_FULL) => StoreError::Full,
        Some(code) if TOO_LATE.contains(&code) => {
            StoreError::Failed(format!("the database took too long ({error}); see what keeps it busy, and try again"))
        }
        Some(READ_ONLY) => {
            StoreError::Failed(format!("the database takes no writes ({error}); name the primary in the store's URL"))
        }
        Some(_) | None => StoreError::Failed(error.to_string()),
    }
}

/// For a database that is not there.
pub(super) fn unreachable(url: &PostgresUrl, error: &sqlx::Error) -> StoreError {
    StoreError::Unreachable { store: url.to_string(), reason: error.to_string() }
}

/// For a store that is being opened.
pub(super) fn not_opened(url: &PostgresUrl, error: &sqlx::Error) -> StoreError {
    let advice = match code(error).as_deref() {
        Some(DISK_FULL) => return StoreError::Full,
        Some("28P01" | "28000") => "check the user and the password in the store's URL",
        Some("3D000") => "make the database, for example with createdb",
        Some(NOT_ALLOWED) => "let the user create schemas in the database, or make the schema `capstan` and give it to the user",
        _ => "check the store's URL, and that the server runs",
    };
    open_error(url, format!("{error}; {advice}"))
}

pub(super) fn open_error(url: &PostgresUrl, reason: String) -> StoreError {
    StoreError::Open { path: url.to_string(), reason }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(|code| code.into_owned())
}
