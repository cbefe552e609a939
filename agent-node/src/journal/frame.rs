//! The bytes of the journal: a head, and frames that each hold what was written at once. Pure.
//!
//! The head is eight bytes of magic, the format's version, how many bytes of frames follow that were there before the file got its name
//! (64 bits), and the checksum of all that. Version 1 did not have that number: there, it was one frame. A frame is the length of its body, the
//! checksum of length and body, and the body: a JSON list of entries. Numbers are 32 bits, little endian; checksums are CRC-32. Behind the
//! last frame come zeros, taken ahead so that a frame changes no length of the file. A frame is written when the one before it is on the
//! disk, so that only the last can be torn: anything else that cannot be read is damage. So is the last of those that were there from the
//! beginning.

use super::entry::Entry;

/// The length of the file's head without its checksum, in the version that is written and in the first.
const HEAD: usize = 20;
const OLD_HEAD: usize = 12;

/// The version that this build writes. It reads the first as well.
const VERSION: u32 = 2;
const OLD_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"CAPSJRNL";

/// The length of a checksum.
const SUM: usize = 4;

/// Length and checksum.
const PREFIX: usize = 4 + SUM;

/// The longest body. A longer one is damage.
const MOST_BODY: usize = 64 << 20;

/// How long the bodies of a new file get before the next is begun.
const WORTH_SPLITTING: usize = 4 << 20;

/// Why a journal cannot be trusted. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Distrust {
    #[error("it does not begin as a journal does")]
    Head,
    #[error("it has version {0}, and this release reads {OLD_VERSION} and {VERSION}")]
    Version(u32),
    #[error("it is damaged at byte {0}, where no write that was cut off could have left it so")]
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

/// A new file that holds `entries`.
pub(super) fn file(entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    let frames = split(entries, WORTH_SPLITTING)?;
    let mut file = [&MAGIC[..], &VERSION.to_le_bytes(), &(frames.len() as u64).to_le_bytes()].concat();
    file.extend(crc32fast::hash(&file).to_le_bytes());
    file.extend(frames);
    Ok(file)
}

/// As many frames as it takes to hold `entries`: at least one, and none that goes on when its body has reached `most` bytes.
fn split(entries: &[Entry], most: usize) -> Result<Vec<u8>, serde_json::Error> {
    let (mut frames, mut body) = (Vec::new(), vec![b'[']);
    for entry in entries {
        if body.len() > most {
            frames.extend(frame(&close(std::mem::replace(&mut body, vec![b'[']))));
        }
        if body.len() > 1 {
            body.push(b',');
        }
        serde_json::to_writer(&mut body, entry)?;
    }
    frames.extend(frame(&close(body)));
    Ok(frames)
}

fn close(mut body: Vec<u8>) -> Vec<u8> {
    body.push(b']');
    body
}

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    [&length[..], &checksum(length, body).to_le_bytes(), body].concat()
}

/// A frame that holds `entries`.
pub(super) fn encode(entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    Ok(frame(&serde_json::to_vec(entries)?))
}

/// Reads a whole file.
pub(super) fn read(file: &[u8]) -> Result<Read, Distrust> {
    let (begins, sure) = check_head(file)?;
    let (mut entries, mut at) = (Vec::new(), begins);
    while let Some((found, length)) = file.get(at..).and_then(decode) {
        entries.extend(found);
        at += length;
    }
    if at < sure || at == begins {
        return Err(Distrust::Damaged(at));
    }
    let rest = file.get(at..).unwrap_or_default();
    let torn = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if holds_a_frame(rest.get(..torn).unwrap_or_default()) {
        return Err(Distrust::Damaged(at));
    }
    Ok(Read { entries, end: at, torn })
}

/// Where the frames begin, and where those end that were there from the beginning, as far as that is known.
fn check_head(file: &[u8]) -> Result<(usize, usize), Distrust> {
    let rest = file.strip_prefix(&MAGIC[..]).ok_or(Distrust::Head)?;
    let (version, rest) = rest.split_first_chunk().ok_or(Distrust::Head)?;
    let whole = |length: usize| {
        let (head, rest) = file.split_at_checked(length).ok_or(Distrust::Head)?;
        let sum = rest.first_chunk().map(|sum| u32::from_le_bytes(*sum));
        if sum == Some(crc32fast::hash(head)) { Ok(length + SUM) } else { Err(Distrust::Head) }
    };
    match u32::from_le_bytes(*version) {
        VERSION => {
            let begins = whole(HEAD)?;
            let sure = rest.first_chunk().map(|sure| u64::from_le_bytes(*sure)).and_then(|sure| usize::try_from(sure).ok());
            Ok((begins, sure.unwrap_or(usize::MAX).saturating_add(begins)))
        }
        OLD_VERSION => whole(OLD_HEAD).map(|begins| (begins, begins)),
        other => Err(Distrust::Version(other)),
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
