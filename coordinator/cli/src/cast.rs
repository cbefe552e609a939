//! Recordings of sessions: asciicast version 2, which players read.
//!
//! The first line is a header, each other line an event: seconds since the beginning, a kind (`o` output, `r` a new size, `m` a mark), and
//! text. Text is UTF-8, so that a code point which arrives in pieces waits for its rest, and what is none becomes U+FFFD.

use capstan_types::clamp::Decoder;
use capstan_types::launch::TermSize;
use serde_json::json;
use std::io::{self, Write};
use std::time::Duration;

/// Writes a recording.
#[derive(Debug)]
pub struct Cast<W: Write> {
    to: W,
    decoder: Decoder,
}

impl<W: Write> Cast<W> {
    /// Begins a recording of a terminal of this size. `since` is when it began, in seconds since 1970.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(mut to: W, size: TermSize, since: u64, command: &str) -> io::Result<Self> {
        let header = json!({
            "version": 2, "width": size.cols, "height": size.rows, "timestamp": since, "command": command,
            "env": {"TERM": "xterm-256color"},
        });
        writeln!(to, "{header}")?;
        Ok(Self { to, decoder: Decoder::default() })
    }

    /// Output, `at` this time after the beginning.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) -> io::Result<()> {
        let text = self.decoder.push(bytes);
        if text.is_empty() { Ok(()) } else { self.event(at, "o", &text) }
    }

    /// A note for whoever plays it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn mark(&mut self, at: Duration, text: &str) -> io::Result<()> {
        self.settle(at)?;
        self.event(at, "m", text)
    }

    /// The terminal has another size.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn resized(&mut self, at: Duration, size: TermSize) -> io::Result<()> {
        self.event(at, "r", &format!("{}x{}", size.cols, size.rows))
    }

    /// Ends the recording, and brings it to the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(mut self, at: Duration) -> io::Result<()> {
        self.settle(at)?;
        self.to.flush()
    }

    /// Writes a code point that will have no rest.
    fn settle(&mut self, at: Duration) -> io::Result<()> {
        let text = self.decoder.flush();
        if text.is_empty() { Ok(()) } else { self.event(at, "o", &text) }
    }

    fn event(&mut self, at: Duration, kind: &str, text: &str) -> io::Result<()> {
        let seconds = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        writeln!(self.to, "[{}.{:06}, \"{kind}\", {}]", seconds / 1_000_000, seconds % 1_000_000, json!(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn recorded(pieces: &[&[u8]]) -> Vec<Value> {
        let mut file = Vec::new();
        let mut cast = Cast::begin(&mut file, TermSize { rows: 24, cols: 80 }, 7, "vim").unwrap();
        for (second, piece) in (0..).zip(pieces) {
            cast.output(Duration::from_millis(second * 1500), piece).unwrap();
        }
        cast.end(Duration::from_secs(60)).unwrap();
        file.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    fn played(lines: &[Value]) -> String {
        lines.iter().skip(1).filter(|line| line[1] == "o").filter_map(|line| line[2].as_str()).collect()
    }

    #[test]
    fn a_recording_has_a_header_and_events_with_times() {
        let lines = recorded(&[b"a\x1b[1m", b"b\r\n"]);
        assert_eq!((&lines[0]["version"], &lines[0]["width"], &lines[0]["height"]), (&2.into(), &80.into(), &24.into()));
        assert_eq!((&lines[0]["timestamp"], &lines[0]["command"]), (&7.into(), &"vim".into()));
        assert_eq!(lines[1..], [json!([0.0, "o", "a\u{1b}[1m"]), json!([1.5, "o", "b\r\n"])]);
    }

    #[test]
    fn marks_and_sizes_are_events() {
        let mut file = Vec::new();
        let mut cast = Cast::begin(&mut file, TermSize::default(), 0, "x").unwrap();
        cast.output(Duration::ZERO, b"\xc3").unwrap();
        cast.mark(Duration::from_secs(1), "5 bytes were not kept").unwrap();
        cast.resized(Duration::from_secs(2), TermSize { rows: 10, cols: 20 }).unwrap();
        cast.end(Duration::from_secs(3)).unwrap();
        let text = String::from_utf8(file).unwrap();
        let events: Vec<_> = text.lines().skip(1).collect();
        let expected =
            ["[1.000000, \"o\", \"\u{fffd}\"]", "[1.000000, \"m\", \"5 bytes were not kept\"]", "[2.000000, \"r\", \"20x10\"]"];
        assert_eq!(events, expected);
    }

    proptest! {
        #[test]
        fn what_is_played_is_what_was_written(text in "\\PC{0,60}", cut in 1_usize..5) {
            let pieces: Vec<_> = text.as_bytes().chunks(cut).collect();
            prop_assert_eq!(played(&recorded(&pieces)), text);
        }

        #[test]
        fn bytes_that_are_no_text_are_as_one_piece(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 1_usize..5) {
            let pieces: Vec<_> = bytes.chunks(cut).collect();
            prop_assert_eq!(played(&recorded(&pieces)), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
