//! Proof that nothing is missing from what was kept of a session's output.
//!
//! What is kept is seen as runs: bytes that follow one another, or a gap, each as long as it can be, whoever cut them into pieces. From
//! `c = SHA-256("capstan output 1")` on, each run makes the next `c`: `SHA-256(c ‖ kind ‖ from ‖ length ‖ SHA-256(bytes))`, with one byte
//! of kind (0 bytes, 1 gap), big-endian numbers of eight bytes, and nothing in the last place for a gap. The last `c` is the chain. Who
//! has read everything that is kept, from 0 on, gets the same chain as the holder, or has something else in hands.

use super::digest::{Digest, DigestError};
use super::{Piece, Seq};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

const START: &[u8] = b"capstan output 1";
const KIND_BYTES: u8 = 0;
const KIND_GAP: u8 = 1;

/// The chain over the kept output of one session. As text it is 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(Digest);

/// A piece that does not follow the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a piece at {found} does not follow the output up to {expected}")]
pub struct Misplaced {
    /// Where the next piece had to start.
    pub expected: Seq,
    /// Where it starts.
    pub found: Seq,
}

/// Makes a chain of the pieces, in their order and from 0 on.
#[derive(Debug, Clone)]
pub struct Chaining {
    links: [u8; 32],
    next: Seq,
    run: Option<Run>,
}

#[derive(Debug, Clone)]
struct Run {
    from: Seq,
    /// None for a gap.
    bytes: Option<Sha256>,
}

impl Chaining {
    /// Of no output yet.
    #[must_use]
    pub fn new() -> Self {
        Self { links: Sha256::digest(START).into(), next: Seq(0), run: None }
    }

    /// Where the next piece has to start: how many bytes were kept or dropped so far.
    #[must_use]
    pub const fn next(&self) -> Seq {
        self.next
    }

    /// Adds the piece that follows. An empty one adds nothing.
    ///
    /// # Errors
    /// A piece that starts elsewhere; nothing was added.
    pub fn add(&mut self, piece: &Piece) -> Result<(), Misplaced> {
        if piece.seq() != self.next {
            return Err(Misplaced { expected: self.next, found: piece.seq() });
        }
        match piece {
            Piece::Bytes { bytes, .. } => self.add_bytes(bytes),
            Piece::Gap { bytes, .. } => self.add_gap(*bytes),
        }
        Ok(())
    }

    /// Adds bytes that follow.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if !matches!(&self.run, Some(Run { bytes: Some(_), .. })) {
            self.begin(Some(Sha256::new()));
        }
        if let Some(Run { bytes: Some(digest), .. }) = &mut self.run {
            digest.update(bytes);
        }
        self.next = self.next.after(bytes.len() as u64);
    }

    /// Adds a gap that follows.
    pub fn add_gap(&mut self, bytes: u64) {
        if bytes > 0 && !matches!(&self.run, Some(Run { bytes: None, .. })) {
            self.begin(None);
        }
        self.next = self.next.after(bytes);
    }

    /// The chain of all that was added.
    #[must_use]
    pub fn end(mut self) -> Chain {
        self.close();
        Chain(Digest(self.links))
    }

    /// SHA-256 of the bytes that were added since the last gap, or from the beginning on.
    #[must_use]
    pub fn run(&self) -> Digest {
        let bytes = self.run.as_ref().and_then(|run| run.bytes.clone());
        Digest(bytes.unwrap_or_default().finalize().into())
    }

    fn begin(&mut self, bytes: Option<Sha256>) {
        self.close();
        self.run = Some(Run { from: self.next, bytes });
    }

    fn close(&mut self) {
        let Some(Run { from, bytes }) = self.run.take() else { return };
        let kind = if bytes.is_some() { KIND_BYTES } else { KIND_GAP };
        let length = self.next.0.saturating_sub(from.0);
        let mut link = Sha256::new_with_prefix(self.links);
        link.update([kind]);
        link.update(from.0.to_be_bytes());
        link.update(length.to_be_bytes());
        if let Some(bytes) = bytes {
            link.update(bytes.finalize());
        }
        self.links = link.finalize().into();
    }
}

impl Default for Chaining {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Chain {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl From<Chain> for String {
    fn from(chain: Chain) -> Self {
        chain.0.into()
    }
}

#[cfg(test)]
mod tests;
