//! What SQLite says, as one of the store's errors.

use crate::error::StoreError;
use sqlx::error::DatabaseError;
use std::io::ErrorKind;
use std::path::Path;

// Primary result codes of SQLite; the low byte of what sqlx reports.
const BUSY: u32 = 5;
const READONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;
/// Extended: the shared memory of the log could not grow, which only a full disk causes.
const IOERR_SHMSIZE: u32 = 4874;

/// For a store that is open.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    if is_full(&error) {
        return StoreError::Full;
    }
    match code(&error).map(|code| code & 0xff) {
        Some(BUSY) => StoreError::Failed(format!("another process has kept the store locked for too long ({error}); try again")),
        Some(CORRUPT | NOTADB) => StoreError::Failed(format!("the file is damaged ({error}); restore it from a copy")),
        Some(READONLY) => StoreError::Failed(format!("the file may not be written ({error}); check its permissions and mount")),
        Some(_) | None => StoreError::Failed(error.to_string()),
    }
}

/// For a store that is being opened.
pub(super) fn not_opened(path: &Path, error: sqlx::Error) -> StoreError {
    if is_full(&error) {
        return StoreError::Full;
    }
    let advice = match code(&error).map(|code| code & 0xff) {
        Some(NOTADB) => "it is no store of Capstan; move the file away, or choose another CAPSTAN_HOME",
        Some(CORRUPT) => "the file is damaged; restore it from a copy, or move it away to begin anew",
        Some(CANTOPEN | READONLY) => "make the file and its directory writable for this user, or choose another CAPSTAN_HOME",
        Some(BUSY) => "another process keeps it locked; end that one, or try again",
        Some(_) | None => "check the disk, or choose another CAPSTAN_HOME",
    };
    open_error(path, format!("{error}; {advice}"))
}

/// For files and directories that are prepared before SQLite opens them.
pub(super) fn not_prepared(path: &Path, error: &std::io::Error) -> StoreError {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return StoreError::Full;
    }
    let advice = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "make the directory writable for this user",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "move away the file that stands where a directory should be",
        _ => "check the path",
    };
    open_error(path, format!("{error}; {advice}, or choose another CAPSTAN_HOME"))
}

pub(super) fn open_error(path: &Path, reason: String) -> StoreError {
    StoreError::Open { path: path.display().to_string(), reason }
}

/// Whether SQLite is busy, as it is for a moment when two processes switch a new file to the write-ahead log.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code & 0xff == BUSY)
}

fn is_full(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
        other => code(other).is_some_and(|code| code & 0xff == FULL || code == IOERR_SHMSIZE),
    }
}

fn code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error().and_then(DatabaseError::code)?.parse().ok()
}
