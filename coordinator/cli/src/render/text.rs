//! Untrusted text on its way to a terminal: cleaned, cut into lines, clipped, and never more of it than there is room for.

use capstan_types::clean::clean_for_terminal;

/// What stands for the part of a line that does not fit.
const CUT: char = '…';

/// The text as clean lines. A tab becomes four blanks, so that a clipped line is as wide as it looks.
#[must_use]
pub fn lines(text: &str) -> Vec<String> {
    clean_for_terminal(text).replace('\t', "    ").lines().map(str::to_owned).collect()
}

/// The text as clean lines, with the tabs that it has: where it may be copied and must still be what it was.
#[must_use]
pub fn exact_lines(text: &str) -> Vec<String> {
    clean_for_terminal(text).lines().map(str::to_owned).collect()
}

/// The text as one clean line: line breaks become blanks.
#[must_use]
pub fn line(text: &str) -> String {
    lines(text).join(" ")
}

/// A clean line, at most `width` characters of it.
#[must_use]
pub fn clipped(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        None => line.to_owned(),
        Some(_) if width == 0 => String::new(),
        Some(_) => {
            let kept = line.char_indices().nth(width - 1).map_or(line.len(), |(place, _)| place);
            format!("{}{CUT}", &line[..kept])
        }
    }
}

/// The end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// How many lines come before it.
    pub hidden: usize,
    /// The lines, clean; not clipped.
    pub lines: Vec<String>,
}

/// The last `count` lines of a text. Blank lines at its end are passed over.
#[must_use]
pub fn tail(text: &str, count: usize) -> Tail {
    let mut all = lines(text);
    while all.last().is_some_and(|line| line.trim().is_empty()) {
        all.pop();
    }
    let hidden = all.len().saturating_sub(count);
    Tail { hidden, lines: all.split_off(hidden) }
}

/// The first `count` lines of a text, and how many follow.
#[must_use]
pub fn head(text: &str, count: usize) -> (Vec<String>, usize) {
    let mut all = lines(text);
    let hidden = all.len().saturating_sub(count);
    all.truncate(count);
    (all, hidden)
}

/// A count with its noun: `1 line`, `2 lines`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tail_says_how_much_it_hides() {
        assert_eq!(tail("a\nb\nc\n\n", 2), Tail { hidden: 1, lines: vec!["b".into(), "c".into()] });
        assert_eq!(tail("", 2), Tail { hidden: 0, lines: Vec::new() });
        assert_eq!(head("a\nb\nc", 2), (vec!["a".into(), "b".into()], 1));
    }

    #[test]
    fn a_line_cannot_break_out() {
        assert_eq!(line("a\r\nb\u{1b}[2Jc\u{202e}d"), "a bc\\u{202e}d");
        assert_eq!(lines("\ta"), vec!["    a"]);
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!((counted(1, "line"), counted(0, "line")), ("1 line".into(), "0 lines".into()));
    }

    proptest! {
        #[test]
        fn a_clipped_line_is_never_wider_than_asked(line in "\\PC{0,40}", width in 0_usize..50) {
            let clipped = clipped(&line, width);
            prop_assert!(clipped.chars().count() <= width);
            prop_assert!(clipped == line || line.chars().count() > width);
        }

        #[test]
        fn a_tail_accounts_for_every_line(text in "[ab\n]{0,40}", count in 0_usize..10) {
            let tail = tail(&text, count);
            prop_assert!(tail.lines.len() <= count);
            let all = text.trim_end_matches('\n').lines().count();
            prop_assert_eq!(tail.hidden + tail.lines.len(), all);
        }
    }
}
