//! Clamping: text is cut to a budget by dropping its middle, and the cut is said with exact counts.
//!
//! The beginning of an output says what ran, its end says how it went; the middle is what can be spared. Invariants: the result never
//! holds more than its budget and the marker; no code point is cut in two; what is dropped is counted, wherever it was dropped.

mod decode;
mod head_tail;
#[cfg(test)]
mod tests;

pub(crate) use decode::unfinished;
pub use decode::{Decoder, to_text};
pub use head_tail::HeadTail;

/// How many bytes are taken for one token. Tokenizers differ; this is near enough to bound a prompt by.
pub const BYTES_PER_TOKEN: u64 = 4;

/// A text cut to a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clamped {
    /// What is left, with the marker where something is missing.
    pub text: String,
    /// How many tokens the whole had.
    pub original_tokens: u64,
    /// How many lines the whole had, as far as its bytes were seen.
    pub lines: u64,
    /// Whether something is missing.
    pub cut: bool,
    /// How many bytes were dropped before they came here. Unless it is 0, there were more lines than `lines`.
    pub unseen: u64,
}

/// How many tokens so many bytes are.
#[must_use]
pub const fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// Cuts a text to `max_tokens`, half of them from its beginning and half from its end.
#[must_use]
pub fn clamp_tokens(text: &str, max_tokens: u64) -> Clamped {
    let original_tokens = tokens(text.len() as u64);
    let lines = line_count(text.bytes().filter(|byte| *byte == b'\n').count() as u64, text.bytes().last());
    if original_tokens <= max_tokens {
        return Clamped { text: text.to_owned(), original_tokens, lines, cut: false, unseen: 0 };
    }
    let (head, tail) = halves(text, text, max_tokens);
    let text = join(head, text.len() as u64 - (head.len() + tail.len()) as u64, tail);
    Clamped { text, original_tokens, lines, cut: true, unseen: 0 }
}

/// Cuts the beginning of `head` and the end of `tail` to half of the budget each.
fn halves<'a>(head: &'a str, tail: &'a str, max_tokens: u64) -> (&'a str, &'a str) {
    let budget = usize::try_from(max_tokens.saturating_mul(BYTES_PER_TOKEN)).unwrap_or(usize::MAX);
    let head = &head[..head.floor_char_boundary(budget / 2)];
    let tail = &tail[tail.ceil_char_boundary(tail.len().saturating_sub(budget - budget / 2))..];
    (head, tail)
}

fn join(head: &str, missing: u64, tail: &str) -> String {
    format!("{head}…{} tokens truncated…{tail}", tokens(missing))
}

fn line_count(newlines: u64, last: Option<u8>) -> u64 {
    newlines + u64::from(last.is_some_and(|last| last != b'\n'))
}
