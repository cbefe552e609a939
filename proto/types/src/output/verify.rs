//! Whether a reader has in hands what the holder kept.
//!
//! A reader adds each piece as it comes, and at the end holds it against the [`Seal`]. What it missed is known exactly. Whether its bytes
//! are the right ones is known when it has read what is kept and nothing else, from 0 on: then its chain must be the holder's. A reader of a
//! running session may have read bytes that were dropped later; of those no chain is made.

use super::chain::{Chain, Chaining};
use super::seal::{Hole, Seal};
use super::{Piece, Seq};

/// The most gaps that a reader keeps in mind.
const MOST_GAPS: usize = 256;

/// Takes note of what one reader gets.
#[derive(Debug, Clone)]
pub struct Verifier {
    from: Seq,
    next: Seq,
    gaps: Vec<Hole>,
    /// Whether there were more gaps than it keeps in mind.
    torn: bool,
    /// None once no chain can be compared any more.
    chaining: Option<Chaining>,
    /// How many bytes may go into a chain.
    left: u64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The reader has all that is kept, and it is what the session wrote.
    Holds {
        /// By this.
        chain: Chain,
    },
    /// Nothing that is kept is missing, as far as can be told, but whether the bytes are the right ones cannot be told.
    Open(Open),
    /// Bytes that were kept did not come.
    Missing {
        /// The first of them.
        at: Seq,
        /// How many in all.
        bytes: u64,
    },
    /// The bytes are not those that were kept.
    Wrong {
        /// The holder's chain.
        kept: Chain,
        /// The reader's.
        found: Chain,
    },
    /// More came than the session wrote.
    TooMuch {
        /// How many bytes more.
        bytes: u64,
    },
}

/// Why it cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Open {
    /// The holder left nothing to hold it against.
    #[error("the session's holder left no seal: it was killed, or is of an older release")]
    NoSeal,
    /// The holder made no chain.
    #[error("no hash was made of what is kept: the disk lost some of it, or it is very much")]
    NoChain,
    /// It was not read from its beginning.
    #[error("it was read from byte {0} on, and the hash is over all from byte 0 on")]
    Later(Seq),
    /// The reader has more than what is kept.
    #[error("it was read while the session wrote, and has bytes that are not kept any more")]
    ReadMore,
    /// There were more gaps than are kept in mind.
    #[error("it has too many gaps")]
    Torn,
}

impl Verifier {
    /// For a reader that begins at `from`, and makes a chain of the first `most` bytes at most: where more came, nothing is compared.
    #[must_use]
    pub fn new(from: Seq, most: u64) -> Self {
        Self { from, next: from, gaps: Vec::new(), torn: false, chaining: (from.0 == 0).then(Chaining::new), left: most }
    }

    /// Takes note of the piece that follows.
    pub fn add(&mut self, piece: &Piece) {
        // A piece that does not follow is a gap that nobody told of.
        if let Some(skipped) = piece.seq().0.checked_sub(self.next.0).filter(|skipped| *skipped > 0) {
            self.note(Hole { from: self.next, bytes: skipped });
        }
        match piece {
            Piece::Bytes { bytes, .. } => match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => self.left = left,
                None => self.chaining = None,
            },
            Piece::Gap { seq, bytes } => self.note(Hole { from: *seq, bytes: *bytes }),
        }
        if self.chaining.as_mut().is_some_and(|chaining| chaining.add(piece).is_err()) {
            self.chaining = None;
        }
        self.next = piece.end();
    }

    fn note(&mut self, gap: Hole) {
        if let Some(last) = self.gaps.last_mut().filter(|last| last.end() == gap.from) {
            last.bytes = last.bytes.saturating_add(gap.bytes);
        } else if self.gaps.len() < MOST_GAPS {
            self.gaps.push(gap);
        } else {
            self.torn = true;
        }
    }

    /// Compares, once the end has come. `whole`: the reader asked for what was kept whole.
    #[must_use]
    pub fn end(self, seal: Option<&Seal>, whole: bool) -> Verdict {
        let Some(seal) = seal else { return Verdict::Open(Open::NoSeal) };
        if let Some(verdict) = self.shape(seal, whole) {
            return verdict;
        }
        if self.torn {
            return Verdict::Open(Open::Torn);
        }
        if self.from.0 > 0 {
            return Verdict::Open(Open::Later(self.from));
        }
        // One that read along may have all that was kept whole without having asked.
        let shapes = [whole, true].map(|whole| (seal.hole(whole, self.from), seal.chain(whole)));
        let mine: Vec<Hole> = self.gaps.into_iter().filter(|gap| gap.bytes > 0).collect();
        let same = |hole: &Hole| mine == [*hole] || (mine.is_empty() && hole.bytes == 0);
        let Some((_, kept)) = shapes.iter().find(|(hole, _)| same(hole)) else { return Verdict::Open(Open::ReadMore) };
        match (kept, self.chaining.map(Chaining::end)) {
            (Some(kept), Some(found)) if *kept == found => Verdict::Holds { chain: found },
            (Some(kept), Some(found)) => Verdict::Wrong { kept: *kept, found },
            (None, _) | (_, None) => Verdict::Open(Open::NoChain),
        }
    }

    /// What is wrong with the number of bytes, if anything is.
    fn shape(&self, seal: &Seal, whole: bool) -> Option<Verdict> {
        if let Some(bytes) = self.next.0.checked_sub(seal.total.max(self.from.0)).filter(|bytes| *bytes > 0) {
            return Some(Verdict::TooMuch { bytes });
        }
        let hole = seal.hole(whole, self.from);
        let rest = Hole { from: self.next, bytes: seal.total.saturating_sub(self.next.0) };
        let missing = self.gaps.iter().chain([&rest]).flat_map(|gap| without(*gap, hole)).filter(|gap| gap.bytes > 0);
        let (mut first, mut bytes) = (None, 0_u64);
        for gap in missing {
            first = first.or(Some(gap.from));
            bytes = bytes.saturating_add(gap.bytes);
        }
        first.map(|at| Verdict::Missing { at, bytes })
    }
}

/// The parts of a gap that lie before and behind a hole.
fn without(gap: Hole, hole: Hole) -> [Hole; 2] {
    if hole.bytes == 0 {
        return [gap, Hole { from: gap.end(), bytes: 0 }];
    }
    let before = hole.from.0.clamp(gap.from.0, gap.end().0) - gap.from.0;
    let behind = hole.end().0.clamp(gap.from.0, gap.end().0);
    [Hole { from: gap.from, bytes: before }, Hole { from: Seq(behind), bytes: gap.end().0 - behind }]
}

impl Verdict {
    /// Whether what came is not what was kept.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Wrong { .. } | Self::TooMuch { .. })
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Holds { chain } => write!(f, "the output is whole and unchanged: its hash is {chain}"),
            Self::Open(open) => write!(f, "the output cannot be verified: {open}"),
            Self::Missing { at, bytes } => write!(f, "{bytes} bytes of the output that was kept are missing, from byte {at} on"),
            Self::Wrong { kept, found } => {
                write!(f, "the output is not what the session wrote: what was kept has the hash {kept}, and this has {found}")
            }
            Self::TooMuch { bytes } => write!(f, "there are {bytes} bytes more than the session wrote"),
        }
    }
}

#[cfg(test)]
mod tests;
