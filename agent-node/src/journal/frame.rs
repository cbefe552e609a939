//! The bytes of the journal: a head, and frames that each hold what was written at once. Pure.
//!
//! The head is [`HEAD`] bytes: eight of magic, the format's version, and the checksum of both. A frame is the length of its body, the
//! checksum of length and body, and the body: a JSON list of entries. Numbers are 32 bits, little endian; checksums are CRC-32. Behind the
//! last frame come zeros, taken ahead so that a frame changes no length of the file. A frame is written when the one before it is on the
//! disk, so that only the last can be torn: anything else that cannot be read is damage.

use super::entry::Entry;

/// The length of the file's head.
pub(super) const HEAD: usize = 16;

/// The version that this build writes and reads.
const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"CAPSJRNL";

/// Length and checksum.
const PREFIX: usize = 8;

/// The longest body. A longer one is damage.
pub(super) const MOST_BODY: usize = 64 << 20;

/// Why a journal cannot be trusted. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Distrust {
    #[error("it does not begin as a journal does")]
    Head,
    #[error("it has version {0}, and this release reads {VERSION}")]
    Version(u32),
    #[error("it is damaged at byte {0}, with more behind")]
    Damaged(usize),
}

/// What a file holds.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) entries: Vec<Entry>,
    /// Where the next frame goes.
    pub(super) end: usize,
    /// How many bytes of a torn frame lie there.
    pub(super) torn: usize,
}

/// The head of a new file.
pub(super) fn head() -> Vec<u8> {
    let mut head = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
    head.extend(crc32fast::hash(&head).to_le_bytes());
    head
}

/// A frame that holds `entries`.
pub(super) fn encode(entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    let body = serde_json::to_vec(entries)?;
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    Ok([&length[..], &checksum(length, &body).to_le_bytes(), &body].concat())
}

/// Reads a whole file.
pub(super) fn read(file: &[u8]) -> Result<Read, Distrust> {
    check_head(file)?;
    let (mut entries, mut at) = (Vec::new(), HEAD);
    while let Some((found, length)) = file.get(at..).and_then(decode) {
        entries.extend(found);
        at += length;
    }
    let rest = file.get(at..).unwrap_or_default();
    let torn = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if holds_a_frame(rest.get(..torn).unwrap_or_default()) {
        return Err(Distrust::Damaged(at));
    }
    Ok(Read { entries, end: at, torn })
}

fn check_head(file: &[u8]) -> Result<(), Distrust> {
    let (head, given) = file.split_at_checked(HEAD - 4).ok_or(Distrust::Head)?;
    let sum = given.first_chunk().map(|sum| u32::from_le_bytes(*sum));
    if !head.starts_with(&MAGIC) || sum != Some(crc32fast::hash(head)) {
        return Err(Distrust::Head);
    }
    match head.last_chunk().map(|version| u32::from_le_bytes(*version)) {
        Some(VERSION) => Ok(()),
        other => Err(Distrust::Version(other.unwrap_or_default())),
    }
}

/// The frame at the front of `bytes`, and its length.
fn decode(bytes: &[u8]) -> Option<(Vec<Entry>, usize)> {
    let body = sound(bytes)?;
    Some((serde_json::from_slice(body).ok()?, PREFIX + body.len()))
}

/// The body of the frame at the front of `bytes`, if its checksum is right.
fn sound(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|count| (2..=MOST_BODY).contains(count))?;
    let body = rest.get(..count)?;
    (u32::from_le_bytes(*sum) == checksum(*length, body)).then_some(body)
}

/// Whether a whole frame lies anywhere in it. Only what looks like the start of a body is summed.
fn holds_a_frame(bytes: &[u8]) -> bool {
    let bodies = bytes.windows(PREFIX + 2).enumerate().filter(|(_, window)| window.ends_with(b"[{"));
    bodies.map(|(at, _)| at).any(|at| bytes.get(at..).is_some_and(|bytes| sound(bytes).is_some()))
}

fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&length);
    sum.update(body);
    sum.finalize()
}

#[cfg(test)]
mod tests;
