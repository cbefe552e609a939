//! What a session prints, on its way to a person's terminal, piece by piece.
//!
//! A terminal obeys what it is shown: some sequences set its title or its clipboard, print on paper, or make it type an answer, which a
//! shell would run. The rule is a list of what may pass, and everything else is dropped; what passes is written anew from its parsed form, so
//! that nothing hides in its spelling. Invariants: what comes out does not depend on where the stream was cut; memory is bounded,
//! whatever comes.

use capstan_types::clamp::Decoder;
use capstan_types::clean::clean_for_terminal;
use std::io::Write as _;
use vte::{Params, Parser, Perform};

/// How much of a session's drawing passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Text and line breaks. A lone carriage return becomes a line break, so that later text cannot hide earlier text.
    Text,
    /// Also what draws: moves of the cursor, colours, erasing, scrolling, the other screen, and modes of keys and mouse.
    Drawing,
}

/// Filters one stream.
pub struct Live {
    /// The parser is given whole code points: it mistakes some that come in pieces.
    decoder: Decoder,
    parser: Parser,
    drawn: Drawn,
}

impl Live {
    /// A filter at the beginning of a stream.
    #[must_use]
    pub fn new(pass: Pass) -> Self {
        Self {
            decoder: Decoder::default(),
            parser: Parser::new(),
            drawn: Drawn { pass, out: Vec::new(), returned: false, column_zero: true },
        }
    }

    /// What of the next bytes may be shown.
    pub fn show(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = self.decoder.push(bytes);
        self.parser.advance(&mut self.drawn, text.as_bytes());
        std::mem::take(&mut self.drawn.out)
    }

    /// Whether what was shown ends with a line break.
    #[must_use]
    pub const fn at_line_start(&self) -> bool {
        self.drawn.column_zero
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("pass", &self.drawn.pass).finish_non_exhaustive()
    }
}

struct Drawn {
    pass: Pass,
    out: Vec<u8>,
    /// A carriage return waits for what follows it.
    returned: bool,
    column_zero: bool,
}

impl Drawn {
    fn put(&mut self, bytes: &[u8]) {
        self.column_zero = bytes.last() == Some(&b'\n');
        self.out.extend_from_slice(bytes);
    }

    /// A carriage return that no line break followed.
    fn broke(&mut self) {
        if std::mem::take(&mut self.returned) && !self.column_zero {
            self.put(b"\n");
        }
    }
}

impl Perform for Drawn {
    fn print(&mut self, c: char) {
        let mut utf8 = [0; 4];
        let text = c.encode_utf8(&mut utf8);
        match self.pass {
            Pass::Drawing => self.put(text.as_bytes()),
            Pass::Text => {
                self.broke();
                self.put(clean_for_terminal(text).as_bytes());
            }
        }
    }

    fn execute(&mut self, byte: u8) {
        match (self.pass, byte) {
            (Pass::Drawing, b'\x07'..=b'\x0f') => self.put(&[byte]),
            (Pass::Text, b'\r') => self.returned = true,
            (Pass::Text, b'\n') => {
                self.returned = false;
                self.put(b"\n");
            }
            (Pass::Text, b'\t') => {
                self.broke();
                self.put(b"\t");
            }
            // Among them ENQ, which a terminal answers.
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if self.pass == Pass::Drawing && !ignore && draws(intermediates, action) {
            let (mark, rest) = match intermediates {
                [mark @ b'<'..=b'?', rest @ ..] => (Some(*mark), rest),
                rest => (None, rest),
            };
            self.put(b"\x1b[");
            self.out.extend(mark);
            for (place, param) in params.iter().enumerate() {
                if place > 0 {
                    self.out.push(b';');
                }
                let numbers: Vec<String> = param.iter().map(u16::to_string).collect();
                // Writing to memory does not fail.
                let _ = self.out.write_all(numbers.join(":").as_bytes());
            }
            self.out.extend_from_slice(rest);
            let mut utf8 = [0; 4];
            self.out.extend_from_slice(action.encode_utf8(&mut utf8).as_bytes());
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        let passes = match (intermediates, byte) {
            // Save and restore the cursor, keypad, line breaks, tab stops, reset.
            ([], b'7' | b'8' | b'=' | b'>' | b'D' | b'E' | b'H' | b'M' | b'c') => true,
            // Letters, or lines for frames.
            ([b'(' | b')' | b'*' | b'+'], b'A' | b'B' | b'0') => true,
            _ => false,
        };
        if self.pass == Pass::Drawing && !ignore && passes {
            self.put(b"\x1b");
            self.out.extend_from_slice(intermediates);
            self.out.push(byte);
        }
    }
}

/// Whether a control sequence only draws, or sets how keys and mouse are told.
fn draws(intermediates: &[u8], action: char) -> bool {
    match (intermediates, action) {
        // Cursor, erasing, inserting, deleting, scrolling, repeating, tab stops, colours, the scrolling region.
        ([], 'A'..='M' | 'P' | 'S' | 'T' | 'X' | 'Z' | '@' | '`' | 'a' | 'b' | 'd' | 'e' | 'f' | 'g' | 'm' | 'r' | 's' | 'u') => {
            true
        }
        // Modes.
        ([] | [b'?'], 'h' | 'l') => true,
        // Erasing what is not protected, the cursor's shape, a soft reset.
        ([b'?'], 'J' | 'K') | ([b' '], 'q') | ([b'!'], 'p') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(pass: Pass, bytes: &[u8]) -> Vec<u8> {
        Live::new(pass).show(bytes)
    }

    #[test]
    fn what_draws_passes_as_it_is() {
        for drawing in [
            "plain é ✓\r\n\ttab\x08\x07",
            "\u{1b}[1;31mred\u{1b}[0m",
            "\u{1b}[38:5:1mx",
            "\u{1b}[?1049h\u{1b}[2J\u{1b}[10;5H\u{1b}[?25l",
            "\u{1b}7\u{1b}8\u{1b}(0lqk\u{1b}(B\u{1b}M",
            "\u{1b}[2 q\u{1b}[!p",
        ] {
            let shown = String::from_utf8(shown(Pass::Drawing, drawing.as_bytes())).unwrap();
            let same = shown.replace("\u{1b}[0!p", "\u{1b}[!p");
            assert_eq!(same, drawing);
        }
    }

    #[test]
    fn what_speaks_to_the_terminal_is_dropped() {
        for speech in [
            "\u{1b}]0;title\u{7}",
            "\u{1b}]52;c;cm0gLXJm\u{7}",
            "\u{1b}]52;c;?\u{1b}\\",
            "\u{1b}]8;;http://x\u{1b}\\",
            "\u{1b}[6n",
            "\u{1b}[c",
            "\u{1b}[>c",
            "\u{1b}[=c",
            "\u{1b}[?6n",
            "\u{1b}[21t",
            "\u{1b}[5i",
            "\u{1b}[?1$p",
            "\u{1b}[>q",
            "\u{1b}[?u",
            "\u{1b}[>1u",
            "\u{1b}[x",
            "\u{1b}[>4;2m",
            "\u{1b}P$qm\u{1b}\\",
            "\u{1b}P+q544e\u{1b}\\",
            "\u{1b}_Gi=1,a=q;AAAA\u{1b}\\",
            "\u{1b}^pm\u{1b}\\",
            "\u{1b}Z",
            "\u{5}",
            "\u{9b}6n",
            "\u{9d}0;t\u{9c}",
        ] {
            let all = format!("a{speech}b");
            let shown = String::from_utf8(shown(Pass::Drawing, all.as_bytes())).unwrap();
            assert!(!shown.contains(['\u{1b}', '\u{5}', '\u{9b}', '\u{9d}']), "{speech:?} became {shown:?}");
        }
    }

    #[test]
    fn text_is_what_a_person_reads_line_by_line() {
        let told = "\u{1b}[31mred\u{1b}[0m\r\n10%\r20%\rdone\r\n\ta\u{202e}b\u{7}\0";
        assert_eq!(String::from_utf8(shown(Pass::Text, told.as_bytes())).unwrap(), "red\n10%\n20%\ndone\n\ta\\u{202e}b");
    }

    #[test]
    fn a_sequence_without_end_takes_no_memory() {
        let mut live = Live::new(Pass::Drawing);
        assert!(live.show(b"\x1b]0;").is_empty());
        for _ in 0..1000 {
            assert!(live.show(&[b'x'; 1024]).is_empty());
        }
        assert_eq!(live.show(b"\x07seen"), b"seen");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 1_usize..9) {
            for pass in [Pass::Text, Pass::Drawing] {
                let mut live = Live::new(pass);
                let pieces: Vec<u8> = bytes.chunks(cut).flat_map(|piece| live.show(piece)).collect();
                prop_assert_eq!(pieces, shown(pass, &bytes));
            }
        }

        #[test]
        fn text_holds_nothing_that_a_terminal_obeys(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = String::from_utf8(shown(Pass::Text, &bytes)).unwrap();
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{:?}", text);
        }
    }
}
