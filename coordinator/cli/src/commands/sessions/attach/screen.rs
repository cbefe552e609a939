//! What of a session's output is shown, and how.

use super::super::recording::gap;
use crate::render::live::{Live, Pass};
use capstan_types::output::{Piece, Seq};
use std::io::{self, IsTerminal, Write};

/// Where the output goes.
pub(super) struct Screen {
    live: Option<Live>,
    pass: Pass,
    line_end: &'static str,
    /// The replay begins at a line, where one begins soon.
    in_the_middle: bool,
    fresh: bool,
}

impl Screen {
    /// A screen for a session on a terminal, or on pipes, whose replay begins at `from`.
    pub(super) fn new(on_terminal: bool, unfiltered: bool, from: Seq) -> Self {
        let pass = if on_terminal { Pass::Drawing } else { Pass::Text };
        let filtered = !unfiltered && io::stdout().is_terminal();
        let line_end = if on_terminal { "\r\n" } else { "\n" };
        Self { live: filtered.then(|| Live::new(pass)), pass, line_end, in_the_middle: from > Seq(0), fresh: true }
    }

    /// Shows a piece.
    pub(super) fn show(&mut self, piece: &Piece) -> io::Result<()> {
        match piece {
            Piece::Bytes { bytes, .. } => {
                let from = if std::mem::take(&mut self.in_the_middle) { first_line(bytes) } else { 0 };
                self.write(bytes.get(from..).unwrap_or_default())
            }
            Piece::Gap { bytes, .. } => {
                // A sequence that was torn by the gap has no end.
                self.live = self.live.is_some().then(|| Live::new(self.pass));
                self.in_the_middle = false;
                self.write(format!("{0}[{1}]{0}", self.line_end, gap(piece, *bytes)).as_bytes())
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match &mut self.live {
            Some(live) => {
                let shown = live.show(bytes);
                self.fresh = shown.last().map_or(self.fresh, |last| *last == b'\n');
                out.write_all(&shown)?;
            }
            None => {
                self.fresh = bytes.last().map_or(self.fresh, |last| *last == b'\n');
                out.write_all(bytes)?;
            }
        }
        out.flush()
    }

    /// What is said next stands on a line of its own.
    pub(super) fn leave(&mut self) {
        if !self.fresh && io::stdout().is_terminal() {
            let mut out = io::stdout().lock();
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
        }
    }
}

/// Where the first whole line begins; 0 where there is no line break.
fn first_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').map_or(0, |place| place + 1)
}
