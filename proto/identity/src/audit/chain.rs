//! The chain that holds a log's lines together.

use super::{Entry, Line};
use capstan_types::output::digest::Digest;
use sha2::{Digest as _, Sha256};

/// A log that is not as it was written. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A line is none.
    #[error("line {0} is not an entry of an audit log")]
    Line(usize),
    /// A line does not follow from the one before it.
    #[error("line {0} does not follow from the line before it: one of them was changed, or lines between them were taken out")]
    Chain(usize),
}

/// The digest of a line: of the one before it, and of all that it says itself.
pub(super) fn next(before: Digest, seq: u64, missed: u64, entry: &Entry) -> Digest {
    let text = serde_json::to_vec(&(seq, missed, entry)).unwrap_or_default();
    Digest(Sha256::new().chain_update(before.0).chain_update(text).finalize().into())
}

/// Checks the lines of one file, of which the first is believed. Returns how many entries there are.
///
/// # Errors
/// The first line that is wrong, from 1.
pub fn verify(text: &str) -> Result<usize, Broken> {
    let mut before: Option<Line> = None;
    let mut count = 0;
    for (at, line) in (1..).zip(text.lines()) {
        let line: Line = serde_json::from_str(line).map_err(|_| Broken::Line(at))?;
        if let Some(before) = before {
            let right = next(before.chain, line.seq, line.missed, &line.entry);
            if line.seq != before.seq + 1 || line.chain != right {
                return Err(Broken::Chain(at));
            }
        }
        count = at;
        before = Some(line);
    }
    Ok(count)
}
