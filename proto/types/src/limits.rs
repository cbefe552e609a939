//! What a session may use: time, output and processes. Each limit has a range; a value outside it is a caller's mistake, not a wish.

mod named;
pub mod told;

pub use named::{NamedLimitError, size};

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
    /// The most processes and threads of the whole session at once; `None` is no limit.
    pub processes: Option<u32>,
    /// The most memory of the whole session, in bytes; `None` is no limit. Without a cgroup it bounds the data of each process, and the
    /// resident memory of all together is watched.
    #[serde(default)]
    pub memory: Option<u64>,
    /// How many thousandths of one processor the session gets at most; `None` is no limit. It slows down, and ends nothing.
    #[serde(default)]
    pub cpu_millis: Option<u32>,
    /// How much processor time the whole session may use, in milliseconds; `None` is no limit.
    #[serde(default)]
    pub cpu_time: Option<Millis>,
    /// How many bytes the whole session may write to disk, in all and whether kept or not; `None` is no limit.
    #[serde(default)]
    pub written: Option<u64>,
    /// How many bytes of output the session may write, kept or not; `None` is no limit.
    #[serde(default)]
    pub output: Option<u64>,
    /// The most open files of each process; `None` keeps the host's limit.
    pub open_files: Option<u32>,
    /// The largest file a process may write, in bytes; `None` is no limit.
    pub file_bytes: Option<u64>,
    /// How many bytes of the output are kept whole beside head and tail, from the first on; `None` keeps no more than those. As a
    /// ceiling, `None` lets nobody keep more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_all: Option<u64>,
}

impl SessionLimits {
    /// The longest time limit that can be asked for: 30 days.
    pub const LONGEST: Millis = Millis(30 * 24 * 3600 * 1000);

    /// The least memory that a program can start in: 4 MiB.
    pub const LEAST_MEMORY: u64 = 4 << 20;
    /// The largest number of bytes that can be asked for: 1 PiB.
    pub const MOST_BYTES: u64 = 1 << 50;

    /// No limit where there can be none, and the largest value elsewhere: a ceiling that lowers nothing.
    pub const WIDEST: Self = Self {
        total: None,
        idle: None,
        ownerless: Self::LONGEST,
        head: ByteCap(ByteCap::MAX),
        tail: ByteCap(ByteCap::MAX),
        processes: None,
        memory: None,
        cpu_millis: None,
        cpu_time: None,
        written: None,
        output: None,
        open_files: None,
        file_bytes: None,
        keep_all: Some(Self::MOST_BYTES),
    };

    /// The lower of each two limits; no limit is the highest, but for what is kept whole, of which none is the lowest.
    #[must_use]
    pub fn narrow(self, ceiling: &Self) -> Self {
        fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        Self {
            total: lower(self.total, ceiling.total),
            idle: lower(self.idle, ceiling.idle),
            ownerless: self.ownerless.min(ceiling.ownerless),
            head: self.head.min(ceiling.head),
            tail: self.tail.min(ceiling.tail),
            processes: lower(self.processes, ceiling.processes),
            memory: lower(self.memory, ceiling.memory),
            cpu_millis: lower(self.cpu_millis, ceiling.cpu_millis),
            cpu_time: lower(self.cpu_time, ceiling.cpu_time),
            written: lower(self.written, ceiling.written),
            output: lower(self.output, ceiling.output),
            open_files: lower(self.open_files, ceiling.open_files),
            file_bytes: lower(self.file_bytes, ceiling.file_bytes),
            keep_all: self.keep_all.zip(ceiling.keep_all).map(|(most, ceiling)| most.min(ceiling)),
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// The first limit that is outside of its range.
    pub fn checked(self) -> Result<Self, LimitError> {
        let span = |name, span: Option<Millis>| span.map_or(Ok(0), |span| within(name, span.0, 1, Self::LONGEST.0));
        span("the total time limit (ms)", self.total)?;
        span("the idle time limit (ms)", self.idle)?;
        span("the ownerless time limit (ms)", Some(self.ownerless))?;
        span("the processor time limit (ms)", self.cpu_time)?;
        let count = |name, count: Option<u64>, low, high| count.map_or(Ok(0), |count| within(name, count, low, high));
        count("the limit of processes", self.processes.map(u64::from), 1, 1 << 22)?;
        count("the memory limit (bytes)", self.memory, Self::LEAST_MEMORY, Self::MOST_BYTES)?;
        count("the processor share (thousandths of one)", self.cpu_millis.map(u64::from), 10, 1 << 20)?;
        count("the limit of bytes written", self.written, 1, Self::MOST_BYTES)?;
        count("the limit of output bytes", self.output, 1, Self::MOST_BYTES)?;
        count("the limit of open files", self.open_files.map(u64::from), 8, 1 << 20)?;
        count("the file size limit (bytes)", self.file_bytes, 1, Self::MOST_BYTES)?;
        count("the output kept whole (bytes)", self.keep_all, 1, Self::MOST_BYTES)?;
        Ok(self)
    }
}

impl Default for SessionLimits {
    /// No time limits of its own, 60 s without an owner, 1 MiB of head and of tail and no more of the output; 1024 processes, 3 GiB of memory, files of 4 GiB, 16,384
    /// open files.
    fn default() -> Self {
        Self {
            total: None,
            idle: None,
            ownerless: Millis(60_000),
            head: ByteCap::mebibytes(1),
            tail: ByteCap::mebibytes(1),
            processes: Some(1024),
            memory: Some(3 << 30),
            cpu_millis: None,
            cpu_time: None,
            written: None,
            output: None,
            open_files: Some(16_384),
            file_bytes: Some(4 << 30),
            keep_all: None,
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
    fn nobody_keeps_more_than_was_asked_for_and_is_allowed() {
        let keeping = |keep_all| SessionLimits { keep_all, ..SessionLimits::WIDEST };
        let narrowed = |asked, ceiling| keeping(asked).narrow(&keeping(ceiling)).keep_all;
        assert_eq!((narrowed(None, Some(9)), narrowed(Some(9), None)), (None, None));
        assert_eq!((narrowed(Some(3), Some(9)), narrowed(Some(9), Some(3))), (Some(3), Some(3)));
    }

    #[test]
    fn a_session_has_no_endless_or_empty_deadline() {
        let limits = SessionLimits::default();
        assert_eq!(limits.checked(), Ok(limits));
        assert!(SessionLimits { total: Some(Millis(0)), ..limits }.checked().is_err());
        assert!(SessionLimits { ownerless: Millis(u64::MAX), ..limits }.checked().is_err());
    }
}
