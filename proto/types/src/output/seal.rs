//! What a holder says of the output that it kept, once nothing is added: by this a reader knows whether it has all of it, and unchanged.

use super::Seq;
use super::chain::Chain;
use super::digest::Digest;
use serde::{Deserialize, Serialize};

/// What lies in a session's files at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// How many bytes the session wrote in all.
    pub total: u64,
    /// What head and tail have dropped between them.
    pub hole: Hole,
    /// The chain over head, hole and tail. None where the disk lost some of it, and where it is too much to be read through at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// What was kept whole, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptWhole>,
}

/// A hole in a session's output; none if it has no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Where it begins.
    pub from: Seq,
    /// How many bytes are not there.
    pub bytes: u64,
}

/// The output that was kept whole, from its first byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWhole {
    /// How many bytes.
    pub bytes: u64,
    /// SHA-256 of these bytes.
    pub sha256: Digest,
    /// The chain over these bytes and what the tail has behind them: over all that a reader gets that asks for it. None as in [`Seal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// Why it is not all that the session wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// Why no more was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// It was as much as was asked for.
    Limit,
    /// The disk had no more room for it, or took no more.
    Disk,
}

impl Seal {
    /// The hole in what a reader gets, from `from` on; `whole`: one that asks for what was kept whole.
    #[must_use]
    pub fn hole(&self, whole: bool, from: Seq) -> Hole {
        let kept = self.kept.filter(|_| whole).map_or(0, |kept| kept.bytes);
        let begin = self.hole.from.0.max(kept).max(from.0);
        Hole { from: Seq(begin), bytes: self.hole.end().0.saturating_sub(begin) }
    }

    /// The chain over what a reader gets from 0 on.
    #[must_use]
    pub fn chain(&self, whole: bool) -> Option<Chain> {
        self.kept.filter(|_| whole).map_or(self.chain, |kept| kept.chain)
    }
}

impl Hole {
    /// Where the output goes on.
    #[must_use]
    pub const fn end(self) -> Seq {
        self.from.after(self.bytes)
    }
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Limit => "its limit was reached",
            Self::Disk => "the disk had no more room for it",
        })
    }
}
