//! A text as lines that remember how each of them ended, so that a patch changes no line end it does not touch.

/// One line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The line without its end.
    pub(super) text: &'a str,
    /// `\n`, `\r\n`, or nothing for a last line without one.
    pub(super) end: &'a str,
}

/// Cuts a text into lines.
pub(super) fn split(text: &str) -> Vec<Line<'_>> {
    text.split_inclusive('\n').map(line).collect()
}

fn line(text: &str) -> Line<'_> {
    let content = text.strip_suffix('\n').map_or(text, |content| content.strip_suffix('\r').unwrap_or(content));
    Line { text: content, end: &text[content.len()..] }
}

/// The line end that a new line before `index` gets: that of the nearest line above, which may be the line it replaces, or else below.
pub(super) fn end_near<'a>(lines: &[Line<'a>], index: usize) -> &'a str {
    let (above, below) = lines.split_at(index.min(lines.len()));
    above.iter().rev().chain(below).map(|line| line.end).find(|end| !end.is_empty()).unwrap_or("\n")
}
