//! Output without its noise, for a model: what a person would read on a terminal, line by line.
//!
//! The rules, in the order in which they are applied; the exact bytes stay with the session's holder:
//!
//! 1. What is not UTF-8 becomes U+FFFD. A code point that arrives in pieces is not torn.
//! 2. Escape sequences are removed: control sequences, strings for the terminal (OSC, DCS, APC, PM, SOS), two-character escapes, and their
//!    forms of one C1 character. A line break ends a sequence that has no end, so that it hides one line at most; a removed sequence
//!    of more than [`sequence::NAMED_BYTES`] bytes is named by its length.
//! 3. A line is what a terminal would show of it: a carriage return, a backspace and the sequences that move inside a line or erase parts
//!    of it let later text overwrite earlier text, so that a progress bar is its last state.
//! 4. NUL is shown as `␀`; vertical tabs and form feeds are line breaks; every other control character but the tab is dropped.
//! 5. A run of identical lines is one line and a note of how many follow, where the note is the shorter.
//!
//! Invariants: what comes out does not depend on where the stream was cut into pieces; memory is bounded, whatever comes; text that holds
//! none of the above comes out as it went in.

pub mod line;
pub mod repeats;
pub mod sequence;
#[cfg(test)]
mod tests;

use crate::clamp::unfinished;
use line::Line;
use sequence::Sequences;
use serde::{Deserialize, Serialize};

/// Whether noise is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cleaning {
    /// By the rules of this module.
    #[default]
    Clean,
    /// Only the first rule is applied.
    Raw,
}

/// Cleans one stream, piece by piece.
#[derive(Debug)]
pub struct Cleaner {
    cleaning: Cleaning,
    /// At most three bytes: the beginning of a code point.
    torn: Vec<u8>,
    sequences: Sequences,
    line: Line,
}

impl Cleaner {
    /// A cleaner at the beginning of a stream.
    #[must_use]
    pub fn new(cleaning: Cleaning) -> Self {
        Self { cleaning, torn: Vec::new(), sequences: Sequences::default(), line: Line::default() }
    }

    /// Takes the next bytes in, and adds to `out` what no later byte can change.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        self.torn.extend_from_slice(bytes);
        let rest = self.torn.split_off(self.torn.len() - unfinished(&self.torn));
        let whole = std::mem::replace(&mut self.torn, rest);
        for chunk in whole.utf8_chunks() {
            chunk.valid().chars().for_each(|c| self.take(c, c.len_utf8() as u64, out));
            if !chunk.invalid().is_empty() {
                self.take(char::REPLACEMENT_CHARACTER, chunk.invalid().len() as u64, out);
            }
        }
    }

    /// Adds everything that was taken in and can be shown, also a line that is not complete: somebody looks now, and what he saw is not
    /// changed any more. A code point or a sequence that is not complete waits.
    pub fn settle(&mut self, out: &mut String) {
        self.line.settle(out);
    }

    /// Adds all that is left, because nothing that belongs to it follows: the stream ended, or has a hole here.
    pub fn finish(&mut self, out: &mut String) {
        if !std::mem::take(&mut self.torn).is_empty() {
            self.take(char::REPLACEMENT_CHARACTER, 0, out);
        }
        if let Some(act) = self.sequences.finish() {
            self.line.act(act, out);
        }
        self.line.settle(out);
    }

    /// How many of the last bytes wait for what completes them: whoever takes the stream up again later begins before them.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.torn.len() as u64 + self.sequences.held()
    }

    fn take(&mut self, c: char, bytes: u64, out: &mut String) {
        match self.cleaning {
            Cleaning::Raw => out.push(c),
            Cleaning::Clean => {
                for act in self.sequences.step(c, bytes).into_iter().flatten() {
                    self.line.act(act, out);
                }
            }
        }
    }
}

/// Cleans a whole text.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    let (mut cleaner, mut out) = (Cleaner::new(Cleaning::Clean), String::new());
    cleaner.push(bytes, &mut out);
    cleaner.finish(&mut out);
    out
}
