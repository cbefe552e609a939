//! What a session may use: time, output and processes. Each limit has a range; a value outside it is a caller's mistake, not a wish.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A limit outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; it must be from {low} to {high}")]
pub struct LimitError {
    name: &'static str,
    value: u64,
    low: u64,
    high: u64,
}

fn within(name: &'static str, value: u64, low: u64, high: u64) -> Result<u64, LimitError> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(LimitError { name, value, low, high })
}

/// How many bytes something may hold: 1 byte to 1 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ByteCap(u64);

impl ByteCap {
    /// The largest cap: 1 GiB.
    pub const MAX: u64 = 1 << 30;

    /// Reads a cap in bytes.
    ///
    /// # Errors
    /// Zero, or more than [`ByteCap::MAX`].
    pub fn new(bytes: u64) -> Result<Self, LimitError> {
        within("a byte cap", bytes, 1, Self::MAX).map(Self)
    }

    /// A cap in mebibytes, of 1 to 1024.
    #[must_use]
    pub const fn mebibytes(count: u16) -> Self {
        let count = if count == 0 {
            1
        } else if count > 1024 {
            1024
        } else {
            count
        };
        Self((count as u64) << 20)
    }

    /// The cap in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for ByteCap {
    type Error = LimitError;

    fn try_from(bytes: u64) -> Result<Self, LimitError> {
        Self::new(bytes)
    }
}

impl From<ByteCap> for u64 {
    fn from(cap: ByteCap) -> Self {
        cap.0
    }
}

/// The bounds of one session. The host that runs it enforces them alone, with every watcher gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLimits {
    /// The longest life of the session, in milliseconds; `None` is no limit.
    pub total: Option<Millis>,
    /// The longest silence, with neither output nor input, in milliseconds; `None` is no limit.
    pub idle: Option<Millis>,
    /// How long the session lives on when nobody is connected to it, in milliseconds.
    pub ownerless: Millis,
    /// How many bytes from the start of the output are kept.
    pub head: ByteCap,
    /// How many bytes from the end of the output are kept.
    pub tail: ByteCap,
    /// The most processes that may exist for the session's user; `None` is no limit. It binds ordinary users only: the kernel
    /// does not apply RLIMIT_NPROC to uid 0.
    pub processes: Option<u32>,
    /// The most open files of each process; `None` keeps the host's limit.
    pub open_files: Option<u32>,
    /// The largest file a process may write, in bytes; `None` is no limit.
    pub file_bytes: Option<u64>,
}

impl SessionLimits {
    /// The longest time limit that can be asked for: 30 days.
    pub const LONGEST: Millis = Millis(30 * 24 * 3600 * 1000);

    /// Checks the ranges.
    ///
    /// # Errors
    /// The first limit that is zero or longer than [`SessionLimits::LONGEST`].
    pub fn checked(self) -> Result<Self, LimitError> {
        let span = |name, span: Option<Millis>| span.map_or(Ok(0), |span| within(name, span.0, 1, Self::LONGEST.0));
        span("the total time limit (ms)", self.total)?;
        span("the idle time limit (ms)", self.idle)?;
        span("the ownerless time limit (ms)", Some(self.ownerless))?;
        Ok(self)
    }
}

impl Default for SessionLimits {
    /// No time limits of its own, 60 s without an owner, 1 MiB of head and of tail.
    fn default() -> Self {
        Self {
            total: None,
            idle: None,
            ownerless: Millis(60_000),
            head: ByteCap::mebibytes(1),
            tail: ByteCap::mebibytes(1),
            processes: None,
            open_files: None,
            file_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_has_a_range() {
        assert_eq!(ByteCap::new(0).unwrap_err().to_string(), "a byte cap is 0; it must be from 1 to 1073741824");
        assert_eq!(ByteCap::new(7).unwrap().bytes(), 7);
        assert_eq!(ByteCap::mebibytes(0).bytes(), 1 << 20);
        assert_eq!(ByteCap::mebibytes(u16::MAX).bytes(), ByteCap::MAX);
    }

    #[test]
    fn a_session_has_no_endless_or_empty_deadline() {
        let limits = SessionLimits::default();
        assert_eq!(limits.checked(), Ok(limits));
        assert!(SessionLimits { total: Some(Millis(0)), ..limits }.checked().is_err());
        assert!(SessionLimits { ownerless: Millis(u64::MAX), ..limits }.checked().is_err());
    }
}
