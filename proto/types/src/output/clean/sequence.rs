//! Which characters belong to an escape sequence, and what the few sequences that edit a line do.
//!
//! Our own reading of the grammar of ECMA-48, because a session is taken up again at the first byte of a sequence that is not complete:
//! parsers made for terminals do not tell where that is, and let a string without an end swallow everything that follows.

/// A removed sequence of more bytes is named, so that nothing large is left out in silence.
pub const NAMED_BYTES: u64 = 4096;

/// How many digits and separators of a control sequence are kept: enough for every sequence that edits a line.
const MOST_PARAMETERS: usize = 12;

/// What a character does to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is written.
    Print(char),
    /// The line is complete.
    LineBreak,
    /// Back to the first column.
    Return,
    /// This many columns on, or back.
    Move(i32),
    /// To this column, from 0.
    Column(usize),
    /// From here to the end is erased.
    EraseEnd,
    /// From the beginning to here is erased.
    EraseBeginning,
    /// All of the line is erased.
    EraseAll,
    /// A sequence of this many bytes was removed, and is to be named.
    Removed(u64),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// Behind an escape character.
    Escape,
    /// Behind an escape character and intermediate characters.
    Intermediate,
    /// In a control sequence.
    Control,
    /// In a string for the terminal.
    Text,
}

/// Finds sequences in a stream of characters. Its memory is a few bytes, however long a sequence is.
#[derive(Debug, Clone, Default)]
pub struct Sequences {
    state: State,
    /// How many bytes of the sequence were seen.
    bytes: u64,
    parameters: Parameters,
}

impl Sequences {
    /// Takes a character of so many bytes in. A long sequence that something else ends is named before that something is told.
    pub fn step(&mut self, c: char, bytes: u64) -> [Option<Act>; 2] {
        if self.state == State::Ground {
            return [None, self.begin(c, bytes)];
        }
        self.bytes = self.bytes.saturating_add(bytes);
        match (self.state, c) {
            // Whatever the sequence was, a new one begins, and ends strings in passing.
            (_, '\u{1b}' | '\u{80}'..='\u{9f}') => {
                let named = self.end();
                [named, self.begin(c, bytes)]
            }
            (_, '\n' | '\r' | '\u{b}' | '\u{c}') => {
                let named = self.end();
                [named, plain(c)]
            }
            (_, '\u{18}' | '\u{1a}') | (State::Text, '\u{7}') => [self.end(), None],
            (State::Text, _) | (_, '\0'..='\u{1f}' | '\u{7f}') => [None, None],
            (State::Escape, '[') => self.go_on(State::Control),
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') => self.go_on(State::Text),
            (State::Escape | State::Intermediate, ' '..='/') => self.go_on(State::Intermediate),
            (State::Escape | State::Intermediate, '0'..='~') => [self.end(), None],
            (State::Control, ' '..='?') => {
                self.parameters.push(c);
                [None, None]
            }
            (State::Control, '@'..='~') => {
                let edit = self.parameters.edit(c);
                [self.end(), edit]
            }
            // Not a part of any sequence: it ends before it.
            (State::Escape | State::Intermediate | State::Control | State::Ground, _) => {
                let named = self.end();
                [named, plain(c)]
            }
        }
    }

    /// How many of the last bytes belong to a sequence that is not complete.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.bytes
    }

    /// Ends what is not complete.
    pub fn finish(&mut self) -> Option<Act> {
        self.end()
    }

    fn begin(&mut self, c: char, bytes: u64) -> Option<Act> {
        self.state = match c {
            '\u{1b}' => State::Escape,
            '\u{9b}' => State::Control,
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => State::Text,
            _ => return plain(c),
        };
        self.bytes = bytes;
        None
    }

    fn go_on(&mut self, state: State) -> [Option<Act>; 2] {
        self.state = state;
        [None, None]
    }

    fn end(&mut self) -> Option<Act> {
        let ended = std::mem::take(self);
        (ended.bytes > NAMED_BYTES).then_some(Act::Removed(ended.bytes))
    }
}

/// A character outside of any sequence.
const fn plain(c: char) -> Option<Act> {
    match c {
        '\n' | '\u{b}' | '\u{c}' | '\u{85}' => Some(Act::LineBreak),
        '\r' => Some(Act::Return),
        '\u{8}' => Some(Act::Move(-1)),
        '\t' => Some(Act::Print('\t')),
        '\0' => Some(Act::Print('␀')),
        '\u{1}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => None,
        _ => Some(Act::Print(c)),
    }
}

/// The parameters of a control sequence, as far as they are of use.
#[derive(Debug, Clone, Copy, Default)]
struct Parameters {
    kept: [u8; MOST_PARAMETERS],
    count: usize,
    /// There were more, or characters that none of the sequences have that edit a line.
    foreign: bool,
}

impl Parameters {
    fn push(&mut self, c: char) {
        match (u8::try_from(c), self.kept.get_mut(self.count)) {
            (Ok(digit @ b'0'..=b'9'), Some(place)) => {
                *place = digit;
                self.count += 1;
            }
            _ => self.foreign = true,
        }
    }

    fn number(&self) -> Option<u16> {
        let text = std::str::from_utf8(self.kept.get(..self.count)?).ok()?;
        text.parse().ok()
    }

    /// What a control sequence with this last character does to the line.
    fn edit(&self, last: char) -> Option<Act> {
        if self.foreign {
            return None;
        }
        let number = self.number();
        let count = || i32::from(number.unwrap_or(1).max(1));
        Some(match (last, number) {
            ('K', None | Some(0)) | ('J', None | Some(0)) => Act::EraseEnd,
            ('K', Some(1)) => Act::EraseBeginning,
            ('K', Some(2)) => Act::EraseAll,
            ('G' | '`', _) => Act::Column(usize::from(number.unwrap_or(1).max(1) - 1)),
            ('C', _) => Act::Move(count()),
            ('D', _) => Act::Move(-count()),
            _ => return None,
        })
    }
}
