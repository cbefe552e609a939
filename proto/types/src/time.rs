//! Moments as plain numbers: this floor has no clock, so whoever acts on time brings it.

use serde::{Deserialize, Serialize};

/// A moment by the wall clock, in milliseconds since 1970-01-01 UTC. For people and records only: no deadline is ever decided by it,
/// because wall clocks jump.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

/// A span of time in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The span as the standard library's type.
    #[must_use]
    pub const fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    /// The span in whole milliseconds, at most `u64::MAX`.
    #[must_use]
    pub fn of(duration: std::time::Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}
