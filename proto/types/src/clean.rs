//! Text for a person's terminal: nothing in it can move the cursor, speak to the terminal, or look like something it is not.
//!
//! What a command prints and what a model writes is hostile until shown otherwise. The exact bytes stay in the log; a person is shown
//! this form of them. Invariant: the result holds printable characters, `\n` and `\t` only; escape sequences are dropped whole, and every
//! other invisible character is shown as `\u{…}`.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

const ESC: char = '\u{1b}';

/// Makes text safe to show.
#[must_use]
pub fn clean_for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            ESC => &after[sequence_len(after)..],
            '\r' => {
                carriage_return(after, &mut out);
                after
            }
            other => {
                push(other, &mut out);
                after
            }
        };
    }
    out
}

/// A lone carriage return would let later text hide earlier text; on a new line both are seen.
fn carriage_return(after: &str, out: &mut String) {
    if !after.starts_with(['\n', '\r']) && !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

fn push(c: char, out: &mut String) {
    if is_invisible(c) {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// How many bytes behind an escape character belong to its sequence.
fn sequence_len(after: &str) -> usize {
    match after.chars().next() {
        Some('[') => control_sequence_len(after),
        Some(']' | 'P' | 'X' | '^' | '_') => string_len(after),
        Some(' '..='/') => {
            let intermediates = after.find(|c| !(' '..='/').contains(&c)).unwrap_or(after.len());
            intermediates + final_len(&after[intermediates..], '0'..='~')
        }
        Some('0'..='~') => 1,
        Some(_) | None => 0,
    }
}

/// `[`, parameters, intermediates, one final character. A sequence that something else interrupts ends before it.
fn control_sequence_len(after: &str) -> usize {
    let body = 1 + after[1..].find(|c| !(' '..='?').contains(&c)).unwrap_or(after.len() - 1);
    body + final_len(&after[body..], '@'..='~')
}

fn final_len(rest: &str, finals: std::ops::RangeInclusive<char>) -> usize {
    usize::from(rest.chars().next().is_some_and(|c| finals.contains(&c)))
}

/// A string for the terminal, up to its terminator. One without a terminator loses its introducer only, so that it cannot hide what
/// follows. The search ends at the next control character, so that many unterminated ones cost no more than one look at each byte.
fn string_len(after: &str) -> usize {
    let body = &after[1..];
    let Some(end) = body.find(|c: char| matches!(c, '\0'..='\u{1f}' | '\u{9c}')) else {
        return 1;
    };
    match &body[end..] {
        rest if rest.starts_with('\u{7}') => 1 + end + 1,
        rest if rest.starts_with("\u{1b}\\") => 1 + end + 2,
        rest if rest.starts_with('\u{9c}') => 1 + end + '\u{9c}'.len_utf8(),
        _ => 1,
    }
}

/// Whether a character is not seen, or changes how others are seen.
fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        // Of the variation selectors only the two that choose between text and picture are common in honest text.
        '\u{fe00}'..='\u{fe0d}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}
