//! The effect of a patch on the text of one file.
//!
//! Invariants: a chunk is applied only where one place can be meant; lines that stay keep their bytes, line ends included; whether the
//! file ends in a newline does not change.

use super::lines::{self, Line};
use super::pairing::{Step, steps};
use super::place::{Edit, File, From};
use super::{Chunk, PatchError};

/// Applies the chunks of one file to its text. `path` is for the error's text only.
///
/// # Errors
/// A chunk whose lines are not in the text, are in it more than once, or are above those of the chunk before.
pub fn apply(path: &str, original: &str, chunks: &[Chunk]) -> Result<String, PatchError> {
    let lines = lines::split(original);
    let file = File { path, lines: &lines };
    let mut from = From { line: 0, anchored: false };
    let mut edits = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        if chunk.is_position_only() {
            from = From { line: file.position(chunk, from)?, anchored: true };
            continue;
        }
        let edit = file.edit(chunk, from)?;
        from = From { line: edit.at + edit.old.len(), anchored: false };
        edits.push(edit);
    }
    Ok(render(&lines, &edits))
}

fn render(lines: &[Line<'_>], edits: &[Edit<'_>]) -> String {
    let mut text = Text { lines, out: String::new(), last_end: 0 };
    let mut at = 0;
    for edit in edits {
        (at..edit.at).for_each(|index| text.keep(index));
        at = edit.at;
        let mut new = edit.new.iter();
        for step in steps(edit.old, edit.new) {
            match step {
                Step::Keep => {
                    new.next();
                    text.keep(at);
                    at += 1;
                }
                Step::Remove => at += 1,
                Step::Insert => new.next().into_iter().for_each(|line| text.insert(at, line)),
            }
        }
    }
    (at..lines.len()).for_each(|index| text.keep(index));
    text.finish()
}

/// The new text while it is being put together.
struct Text<'t> {
    lines: &'t [Line<'t>],
    out: String,
    /// How many bytes the end of the last line has.
    last_end: usize,
}

impl Text<'_> {
    fn keep(&mut self, index: usize) {
        if let Some(line) = self.lines.get(index) {
            let end = if line.end.is_empty() { lines::end_near(self.lines, index) } else { line.end };
            self.push(line.text, end);
        }
    }

    fn insert(&mut self, index: usize, line: &str) {
        let end = lines::end_near(self.lines, index);
        // A line copied from a file with Windows line ends may bring its carriage return along; two would be one too many.
        let line = if end == "\r\n" { line.strip_suffix('\r').unwrap_or(line) } else { line };
        self.push(line, end);
    }

    fn push(&mut self, line: &str, end: &str) {
        self.out.push_str(line);
        self.out.push_str(end);
        self.last_end = end.len();
    }

    fn finish(mut self) -> String {
        if self.lines.last().is_some_and(|line| line.end.is_empty()) {
            self.out.truncate(self.out.len() - self.last_end);
        }
        self.out
    }
}
