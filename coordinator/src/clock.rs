//! The wall clock, for records that people read.

use capstan_types::time::UnixMillis;
use std::time::{SystemTime, UNIX_EPOCH};

/// The moment now. A clock before 1970 reads as 1970.
#[must_use]
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Today's date in UTC, as 2026-11-22.
#[must_use]
pub fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
