//! How the `files` verb puts its answers one behind the other: a letter, a length of four bytes with the smallest first, and so many bytes.
//!
//! It writes no more than [`WINDOW`] bytes ahead of its reader, who sends a byte for each [`CREDIT`] bytes that it has taken: so whoever takes
//! a million names slowly loses none, and nobody keeps them meanwhile.

/// How much may be written that the reader has not acknowledged, in bytes. It must fit into what a session keeps of its output.
pub const WINDOW: u64 = 1 << 20;
/// How much each byte that the reader sends acknowledges.
pub const CREDIT: u64 = 128 << 10;
/// The longest frame, in bytes without its head.
pub const MOST: usize = 256 << 10;

/// The length of a frame's head.
const HEAD: usize = 5;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// JSON: a [`super::report::FilesReport`].
    Report(Vec<u8>),
    /// Bytes of a file.
    Data(Vec<u8>),
}

/// What came is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the program that serves files wrote something else than an answer")]
pub struct NotAFrame;

impl Frame {
    /// Puts it behind what is in `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (letter, bytes) = match self {
            Self::Report(json) => (b'R', json),
            Self::Data(bytes) => (b'D', bytes),
        };
        out.push(letter);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(bytes);
    }

    /// Takes the first frame out of what has arrived; `None` when not all of it has.
    ///
    /// # Errors
    /// It is none, or a longer one than is ever sent.
    pub fn decode(arrived: &mut Vec<u8>) -> Result<Option<Self>, NotAFrame> {
        let [letter, length @ ..] = &arrived[..HEAD.min(arrived.len())] else { return Ok(None) };
        let letter = *letter;
        if !matches!(letter, b'R' | b'D') {
            return Err(NotAFrame);
        }
        let Ok(length) = <[u8; 4]>::try_from(length) else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(length)).map_err(|_| NotAFrame)?;
        if length > MOST {
            return Err(NotAFrame);
        }
        if arrived.len() < HEAD + length {
            return Ok(None);
        }
        let bytes = arrived[HEAD..HEAD + length].to_vec();
        arrived.drain(..HEAD + length);
        Ok(Some(if letter == b'R' { Self::Report(bytes) } else { Self::Data(bytes) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..90)), 0..8),
            cut in 1_usize..40,
        ) {
            let frames: Vec<_> = frames.into_iter().map(|(data, bytes)| if data { Frame::Data(bytes) } else { Frame::Report(bytes) }).collect();
            let mut sent = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut sent));
            let (mut arrived, mut got) = (Vec::new(), Vec::new());
            for piece in sent.chunks(cut) {
                arrived.extend_from_slice(piece);
                while let Some(frame) = Frame::decode(&mut arrived).unwrap() {
                    got.push(frame);
                }
            }
            prop_assert_eq!(got, frames);
            prop_assert!(arrived.is_empty());
        }

        #[test]
        fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut arrived = bytes;
            let _ = Frame::decode(&mut arrived);
        }
    }

    #[test]
    fn what_is_too_long_or_something_else_is_no_frame() {
        assert_eq!(Frame::decode(&mut b"thread panicked".to_vec()), Err(NotAFrame));
        assert_eq!(Frame::decode(&mut vec![b'D', 0, 0, 0, 255]), Err(NotAFrame));
    }
}
