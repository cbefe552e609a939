//! A session's output as numbered bytes.
//!
//! One session has one stream: with a terminal the kernel merges it, with pipes the two are read in order of arrival, as people see
//! them. The sequence number of a chunk is the offset of its first byte in everything the session ever wrote, so that two chunks
//! neither overlap nor leave an unnoticed hole, whoever cut them.

pub mod border;
pub mod chain;
pub mod clean;
pub mod digest;
pub mod seal;
pub mod verify;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A position in a session's output: how many bytes were written before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position `bytes` further on.
    #[must_use]
    pub const fn after(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A piece of a session's output as a reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes as the session wrote them, from `seq` on.
    Bytes {
        /// Where the bytes start.
        seq: Seq,
        /// The bytes, exact.
        bytes: Bytes,
    },
    /// Bytes that were dropped to stay inside the session's caps.
    Gap {
        /// Where the hole starts.
        seq: Seq,
        /// How many bytes are missing.
        bytes: u64,
    },
}

impl Piece {
    /// Where the piece starts.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Bytes { seq, .. } | Self::Gap { seq, .. } => *seq,
        }
    }

    /// Where the next piece starts.
    #[must_use]
    pub const fn end(&self) -> Seq {
        match self {
            Self::Bytes { seq, bytes } => seq.after(bytes.len() as u64),
            Self::Gap { seq, bytes } => seq.after(*bytes),
        }
    }
}
