//! Bytes to text: what is not UTF-8 becomes U+FFFD, and a code point that arrives in pieces is not torn.

/// The text of `bytes`, with every malformed sequence replaced by U+FFFD. NUL and other control characters stay.
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes at the end of `bytes` are the beginning of a code point that is not complete: 0 to 3.
#[must_use]
pub(crate) fn unfinished(bytes: &[u8]) -> usize {
    let chunk = &bytes[bytes.len().saturating_sub(3)..];
    match chunk.utf8_chunks().last().map(|last| last.invalid()) {
        // Only a sequence that more bytes could complete is invalid without being an error.
        Some(invalid) if std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none()) => invalid.len(),
        Some(_) | None => 0,
    }
}

/// Turns a stream of pieces into text. It holds back at most three bytes.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    held: Vec<u8>,
}

impl Decoder {
    /// The text of the next bytes, as far as their code points are complete.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let rest = self.held.split_off(self.held.len() - unfinished(&self.held));
        to_text(&std::mem::replace(&mut self.held, rest))
    }

    /// What is held back, as text, because nothing that belongs to it follows: the stream ended, or has a hole here.
    pub fn flush(&mut self) -> String {
        to_text(&std::mem::take(&mut self.held))
    }
}
