//! The first and the last bytes of a stream of any length, in bounded memory.

use super::decode::{to_text, unfinished};
use super::{Clamped, halves, join, line_count, tokens};
use std::collections::VecDeque;

/// Keeps the beginning and the end of a stream, and counts what is between them.
///
/// The beginning is the longest run of bytes from the start, and the end the longest run of bytes before now, that have no hole and
/// stay inside the cap. Everything else is only counted.
#[derive(Debug, Clone)]
pub struct HeadTail {
    cap: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes between head and tail.
    omitted: u64,
    /// Whether the head can grow no more: it is full, or a hole follows it.
    head_closed: bool,
    newlines: u64,
    last: Option<u8>,
    /// Bytes of `omitted` that never came here.
    unseen: u64,
}

impl HeadTail {
    /// Keeps at most `cap` bytes of the beginning and `cap` of the end. No memory is taken before bytes come.
    #[must_use]
    pub const fn new(cap: usize) -> Self {
        Self { cap, head: Vec::new(), tail: VecDeque::new(), omitted: 0, head_closed: false, newlines: 0, last: None, unseen: 0 }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.newlines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.last = bytes.last().copied().or(self.last);
        let room = if self.head_closed { 0 } else { self.cap - self.head.len() };
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        self.head_closed |= !rest.is_empty();
        // Only the last `cap` bytes can stay, so that a huge piece is not copied first and dropped then.
        let skipped = rest.len().saturating_sub(self.cap);
        let dropped = (self.tail.len() + rest.len() - skipped).saturating_sub(self.cap);
        self.tail.drain(..dropped);
        self.tail.extend(&rest[skipped..]);
        self.omitted += (skipped + dropped) as u64;
    }

    /// Appends a hole of `bytes` bytes that were dropped before they came here.
    pub fn push_gap(&mut self, bytes: u64) {
        if bytes > 0 {
            self.omitted = self.omitted.saturating_add(bytes).saturating_add(self.tail.len() as u64);
            self.tail.clear();
            self.head_closed = true;
            self.unseen = self.unseen.saturating_add(bytes);
        }
    }

    /// How many bytes the stream had, holes included.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.omitted.saturating_add((self.head.len() + self.tail.len()) as u64)
    }

    /// How many bytes are missing between the beginning and the end.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Whether nothing was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// The kept bytes: the beginning, and the end.
    #[must_use]
    pub fn parts(&self) -> (&[u8], Vec<u8>) {
        (&self.head, self.tail.iter().copied().collect())
    }

    /// Takes everything out but the beginning of a code point that is not complete yet, which stays for the next time.
    #[must_use]
    pub fn take_whole(&mut self) -> Self {
        let held = unfinished(&self.end());
        let from_tail = held.min(self.tail.len());
        let mut rest = self.head.split_off(self.head.len() - (held - from_tail));
        rest.extend(self.tail.drain(self.tail.len() - from_tail..));
        if held > 0 {
            self.last = self.tail.back().or_else(|| self.head.last()).copied();
        }
        let mut next = Self::new(self.cap);
        next.push(&rest);
        std::mem::replace(self, next)
    }

    /// The last bytes without a hole, at most three.
    fn end(&self) -> Vec<u8> {
        let from_head = if self.omitted == 0 { 3 - self.tail.len().min(3) } else { 0 };
        let head = &self.head[self.head.len().saturating_sub(from_head)..];
        let tail = self.tail.iter().skip(self.tail.len().saturating_sub(3));
        head.iter().chain(tail).copied().collect()
    }

    /// The stream as text, cut to `max_tokens` as [`super::clamp_tokens`] does, with what is missing already counted in.
    #[must_use]
    pub fn clamp(&self, max_tokens: u64) -> Clamped {
        let original_tokens = tokens(self.total());
        let lines = line_count(self.newlines, self.last);
        let (head, tail) = self.parts();
        if self.omitted == 0 {
            // Together, because a code point may lie across the seam.
            let whole = to_text(&[head, &tail].concat());
            // By the text, not by the bytes: replacing what is not UTF-8 makes it longer.
            if tokens(whole.len() as u64) <= max_tokens {
                return Clamped { text: whole, original_tokens, lines, cut: false, unseen: 0 };
            }
            let (head, tail) = halves(&whole, &whole, max_tokens);
            let missing = (whole.len() - head.len() - tail.len()) as u64;
            return Clamped { text: join(head, missing, tail), original_tokens, lines, cut: true, unseen: self.unseen };
        }
        let head = &head[..head.len() - unfinished(head)];
        let torn = tail.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        let (head_text, tail_text) = (to_text(head), to_text(&tail[torn..]));
        let (head, tail) = halves(&head_text, &tail_text, max_tokens);
        let missing = self.total().saturating_sub((head.len() + tail.len()) as u64);
        Clamped { text: join(head, missing, tail), original_tokens, lines, cut: true, unseen: self.unseen }
    }
}
