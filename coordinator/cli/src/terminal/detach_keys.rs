//! The keys that leave a session, in Docker's notation, and how they are found in what is typed.

use std::fmt;
use std::str::FromStr;

/// A sequence of keys, as `ctrl-p,ctrl-q`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys {
    keys: Vec<u8>,
    text: String,
}

/// A text that is no sequence of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no key; write single characters or ctrl-X (X of a-z, @, [, \\, ], ^, _), with commas between them")]
pub struct KeyError(String);

impl FromStr for DetachKeys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let keys = text.split(',').map(key).collect::<Result<_, _>>()?;
        Ok(Self { keys, text: text.replace(',', " ") })
    }
}

impl fmt::Display for DetachKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn key(text: &str) -> Result<u8, KeyError> {
    let wrong = || KeyError(text.chars().take(40).collect());
    let control = text.get(..5).filter(|start| start.eq_ignore_ascii_case("ctrl-")).and_then(|_| text.get(5..));
    match control.unwrap_or(text).as_bytes() {
        [letter] if control.is_some() => match letter.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => Ok(letter - b'a' + 1),
            letter @ (b'@' | b'['..=b'_') => Ok(letter - b'@'),
            _ => Err(wrong()),
        },
        [character @ b' '..=b'~'] => Ok(*character),
        _ => Err(wrong()),
    }
}

/// What is to be done with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// These bytes are the session's. There may be none: the beginning of the sequence is held back until it is known what follows.
    Typed(Vec<u8>),
    /// The sequence was typed.
    Leave,
}

/// Finds the sequence in what is typed, however it is cut into pieces.
#[derive(Debug)]
pub struct Scanner {
    keys: DetachKeys,
    matched: usize,
}

impl Scanner {
    /// A scanner that has seen nothing.
    #[must_use]
    pub const fn new(keys: DetachKeys) -> Self {
        Self { keys, matched: 0 }
    }

    /// Takes what was typed in.
    pub fn scan(&mut self, typed: &[u8]) -> Scan {
        let mut through = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.step(*byte, &mut through) {
                return Scan::Leave;
            }
        }
        Scan::Typed(through)
    }

    fn step(&mut self, byte: u8, through: &mut Vec<u8>) -> bool {
        // What is held equals the sequence's beginning, so it is let through from its front until the byte fits behind the rest.
        loop {
            if self.keys.keys.get(self.matched) == Some(&byte) {
                self.matched += 1;
                return self.matched == self.keys.keys.len();
            }
            if self.matched == 0 {
                through.push(byte);
                return false;
            }
            let keys = self.keys.keys.get(..self.matched).unwrap_or_default();
            let kept = (0..self.matched).rev().find(|kept| keys.get(self.matched - kept..) == keys.get(..*kept)).unwrap_or(0);
            through.extend(keys.iter().take(self.matched - kept));
            self.matched = kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(text: &str) -> DetachKeys {
        text.parse().unwrap()
    }

    #[test]
    fn the_notation_is_dockers() {
        assert_eq!(keys("ctrl-p,ctrl-q").keys, [16, 17]);
        assert_eq!(keys("ctrl-@,CTRL-[,ctrl-_,a,~").keys, [0, 27, 31, b'a', b'~']);
        for bad in ["", "ctrl-", "ctrl-1", "ab", "a,,b", "ctrl-pp", "é", "\u{1b}"] {
            assert!(bad.parse::<DetachKeys>().is_err(), "{bad:?}");
        }
        assert_eq!(keys("ctrl-p,ctrl-q").to_string(), "ctrl-p ctrl-q");
    }

    #[test]
    fn half_a_sequence_is_typed_when_something_else_follows() {
        let mut scanner = Scanner::new(keys("ctrl-p,ctrl-q"));
        assert_eq!(scanner.scan(b"ls\x10"), Scan::Typed(b"ls".to_vec()));
        assert_eq!(scanner.scan(b"x\x10\x10"), Scan::Typed(b"\x10x\x10".to_vec()));
        assert_eq!(scanner.scan(b"\x11 never"), Scan::Leave);
    }

    proptest! {
        #[test]
        fn what_is_let_through_is_what_was_typed_before_the_sequence(
            sequence in "[ab]{1,4}", typed in "[abc]{0,40}", cut in 1_usize..7,
        ) {
            let commas = sequence.split("").filter(|key| !key.is_empty()).collect::<Vec<_>>().join(",");
            let mut scanner = Scanner::new(keys(&commas));
            let (mut through, mut left) = (Vec::new(), false);
            for piece in typed.as_bytes().chunks(cut) {
                match scanner.scan(piece) {
                    Scan::Typed(bytes) => through.extend(bytes),
                    Scan::Leave => { left = true; break }
                }
            }
            let through = String::from_utf8(through).unwrap();
            match typed.find(&sequence) {
                Some(_) => prop_assert!(left),
                None => {
                    prop_assert!(!left);
                    let held = typed.strip_prefix(&through);
                    prop_assert!(held.is_some_and(|held| sequence.starts_with(held)), "{through} of {typed}");
                }
            }
        }
    }
}
