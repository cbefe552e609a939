//! The lists of `filters/`, read while the runner is built. What breaks a rule here, or in a list, does not compile.

/// What a list says of a call, as its head explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Allow,
    Deny,
    Absent,
    Ipc,
    Metadata,
    /// Changes a mode that is the argument of this number.
    Mode(u8),
    /// Makes a file whose mode is the argument of this number.
    Makes(u8),
    /// Opens, and perhaps makes, a file; the mode is the argument of this number, the flags the one before.
    Opens(u8),
    Namespaces,
    Personality,
    Requests,
    Oneself,
    Sockets,
}

/// The words of the lists.
pub(super) const WORDS: [(&str, Answer); 16] = [
    ("allow", Answer::Allow),
    ("deny", Answer::Deny),
    ("absent", Answer::Absent),
    ("ipc", Answer::Ipc),
    ("metadata", Answer::Metadata),
    ("mode1", Answer::Mode(1)),
    ("mode2", Answer::Mode(2)),
    ("makes1", Answer::Makes(1)),
    ("makes2", Answer::Makes(2)),
    ("opens2", Answer::Opens(2)),
    ("opens3", Answer::Opens(3)),
    ("namespaces", Answer::Namespaces),
    ("personality", Answer::Personality),
    ("requests", Answer::Requests),
    ("self", Answer::Oneself),
    ("sockets", Answer::Sockets),
];

/// A call of a machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Its number, greater than that of the call before.
    pub(super) number: u32,
    /// What the list says of it.
    pub(super) answer: Answer,
}

/// A kind of machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// How the kernel names its native ABI.
    pub(super) audit: u32,
    /// Its calls, in the order of their numbers.
    pub(super) calls: &'static [Call],
}

pub(super) const X86_64_LIST: &str = include_str!("../../filters/x86_64.filter");
pub(super) const AARCH64_LIST: &str = include_str!("../../filters/aarch64.filter");

pub(super) static X86_64: Machine = Machine { audit: 0xc000_003e, calls: &read::<{ lines(X86_64_LIST) }>(X86_64_LIST) };
pub(super) static AARCH64: Machine = Machine { audit: 0xc000_00b7, calls: &read::<{ lines(AARCH64_LIST) }>(AARCH64_LIST) };

impl Machine {
    /// The one that this runner is built for, if there is a list for it.
    pub(super) fn this() -> Option<&'static Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(&X86_64),
            "aarch64" => Some(&AARCH64),
            _ => None,
        }
    }
}

/// How many lines of `list` are about a call.
const fn lines(list: &str) -> usize {
    let (mut rest, mut count) = (list.as_bytes(), 0);
    while !rest.is_empty() {
        let line;
        (line, rest) = split(rest, b'\n');
        count += !split(line, b'#').0.is_empty() as usize;
    }
    count
}

/// The `N` calls of `list`.
const fn read<const N: usize>(list: &str) -> [Call; N] {
    let mut calls = [Call { number: 0, answer: Answer::Absent }; N];
    let (mut rest, mut at) = (list.as_bytes(), 0);
    while !rest.is_empty() {
        let line;
        (line, rest) = split(rest, b'\n');
        let said = split(line, b'#').0;
        if !said.is_empty() {
            let (number, said) = split(said, b' ');
            let (name, word) = split(said.trim_ascii(), b' ');
            assert!(!name.is_empty(), "a line is: number name answer # why");
            calls[at] = Call { number: decimal(number), answer: meaning(word.trim_ascii()) };
            assert!(at == 0 || calls[at - 1].number < calls[at].number, "the numbers of a list must grow");
            at += 1;
        }
    }
    calls
}

/// What is before and what is after the first `end`.
const fn split(text: &[u8], end: u8) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < text.len() {
        if text[at] == end {
            let (before, after) = text.split_at(at);
            return (before, after.split_at(1).1);
        }
        at += 1;
    }
    (text, &[])
}

const fn decimal(digits: &[u8]) -> u32 {
    let (mut number, mut at) = (0, 0);
    while at < digits.len() {
        assert!(digits[at].is_ascii_digit(), "a line begins with the number of a call");
        number = number * 10 + (digits[at] - b'0') as u32;
        at += 1;
    }
    number
}

const fn meaning(word: &[u8]) -> Answer {
    let mut at = 0;
    // Past the end of the list when there is no such word: an error when the runner is built.
    while !same(WORDS[at].0.as_bytes(), word) {
        at += 1;
    }
    WORDS[at].1
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{UnwindSafe, catch_unwind};

    #[test]
    fn a_list_is_read_line_by_line_and_what_is_said_to_people_is_passed_over() {
        let list =
            "# What follows is about files.\n0 read allow # everybody reads\n\n57 fork deny#no\n257  openat   opens3 # a mode";
        assert_eq!(lines(list), 3);
        let read = read::<3>(list).map(|call| (call.number, call.answer));
        assert_eq!(read, [(0, Answer::Allow), (57, Answer::Deny), (257, Answer::Opens(3))]);
    }

    #[test]
    fn a_list_with_an_error_is_not_read() {
        fn fails(read: impl FnOnce() -> Call + UnwindSafe) -> bool {
            catch_unwind(read).is_err()
        }
        assert!(!fails(|| read::<1>("0 read allow")[0]));
        assert!(fails(|| read::<1>("0 read perhaps")[0]), "an answer that there is not");
        assert!(fails(|| read::<1>("zero read allow")[0]), "no number");
        assert!(fails(|| read::<1>("0 ")[0]), "no name");
        assert!(fails(|| read::<2>("1 write allow\n0 read allow")[0]), "out of order");
    }
}
