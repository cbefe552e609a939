//! JSON that is safe on a terminal: JSON itself escapes only the first control characters, and a terminal obeys more than those.
//!
//! `\uXXXX` is the same text to every parser, so nothing is lost.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Writes `value` as one line of JSON, without the line's end.
pub(super) fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, TerminalSafe)).map_err(io::Error::from)
}

struct TerminalSafe;

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (place, c) in fragment.char_indices().filter(|(_, c)| misleads(*c)) {
            writer.write_all(&fragment.as_bytes()[plain..place])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = place + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

/// Whether a terminal would obey the character, or show the text around it in another order or not at all.
const fn misleads(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(written("a\u{1b}[m\u{9b}2J\u{202e}ä\u{e0041}"), r#""a\u001b[m\u009b2J\u202eä\udb40\udc41""#);
    }

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            let back: String = serde_json::from_str(&written(&text)).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
