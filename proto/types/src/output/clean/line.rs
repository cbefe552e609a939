//! One line as a terminal would show it.

use super::repeats::Repeats;
use super::sequence::Act;
use std::fmt::Write as _;

/// How many characters of a line can still be overwritten. What is before them is given out, so that a line without an end needs no
/// more memory than this.
pub const MOST_CELLS: usize = 4096;

/// The line that is being written.
#[derive(Debug, Default)]
pub struct Line {
    cells: Vec<char>,
    /// Where the next character goes.
    column: usize,
    /// Something was overwritten or erased: the blanks at its end are then traces of that, and not text.
    edited: bool,
    /// A part of the line was given out before `cells`.
    begun: bool,
    repeats: Repeats,
}

impl Line {
    /// Does what a character does, and adds to `out` what is given out.
    pub fn act(&mut self, act: Act, out: &mut String) {
        match act {
            Act::Print(c) => self.print(c, out),
            Act::LineBreak => self.complete(out),
            Act::Return => self.column = 0,
            Act::Move(by) => {
                let by_size = usize::try_from(by.unsigned_abs()).unwrap_or(MOST_CELLS);
                let to = if by < 0 { self.column.saturating_sub(by_size) } else { self.column.saturating_add(by_size) };
                self.column = to.min(MOST_CELLS - 1);
            }
            Act::Column(column) => self.column = column.min(MOST_CELLS - 1),
            Act::EraseEnd => {
                self.edited |= self.column < self.cells.len();
                self.cells.truncate(self.column);
            }
            Act::EraseBeginning => {
                self.edited = true;
                let end = self.cells.len().min(self.column + 1);
                self.cells[..end].fill(' ');
            }
            Act::EraseAll => {
                self.edited = true;
                self.cells.clear();
            }
            Act::Removed(bytes) => {
                let mut note = String::new();
                let _ = write!(note, "[an escape sequence of {bytes} bytes was left out]");
                note.chars().for_each(|c| self.print(c, out));
            }
        }
    }

    /// Gives out what there is, which then cannot be overwritten any more.
    pub fn settle(&mut self, out: &mut String) {
        self.repeats.forget(out);
        self.give_out(out);
        self.column = 0;
        self.edited = false;
    }

    /// How many characters it has room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.cells.capacity()
    }

    fn print(&mut self, c: char, out: &mut String) {
        if self.column >= MOST_CELLS {
            self.repeats.forget(out);
            self.give_out(out);
            self.column = 0;
        }
        match self.cells.get_mut(self.column) {
            Some(cell) => {
                *cell = c;
                self.edited = true;
            }
            None => {
                self.cells.resize(self.column, ' ');
                self.cells.push(c);
            }
        }
        self.column += 1;
    }

    fn complete(&mut self, out: &mut String) {
        if self.edited {
            let end = self.cells.iter().rposition(|c| *c != ' ').map_or(0, |last| last + 1);
            self.cells.truncate(end);
        }
        if self.begun {
            self.give_out(out);
            out.push('\n');
        } else {
            let line: String = self.cells.drain(..).collect();
            self.repeats.line(line, out);
        }
        (self.column, self.edited, self.begun) = (0, false, false);
    }

    fn give_out(&mut self, out: &mut String) {
        self.begun |= !self.cells.is_empty();
        out.extend(self.cells.drain(..));
    }
}
