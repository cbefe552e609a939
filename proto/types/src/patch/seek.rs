//! Finds lines in a file: exactly, or as little less than exactly as needed.
//!
//! Invariant: a looser comparison is tried only when a stricter one finds nothing, so that it can never make a clear place doubtful.

use super::lines::Line;
use unicode_normalization::UnicodeNormalization as _;

/// How lines are compared, from strict to loose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// Byte for byte.
    Exact,
    /// Blanks at the end do not count.
    TrimmedEnd,
    /// Blanks at both ends do not count.
    Trimmed,
    /// As before, and typographic quotes, dashes and blanks count as their ASCII kin, and a letter with its accent as the two that it is
    /// composed of.
    Folded,
}

impl Likeness {
    const ALL: [Self; 4] = [Self::Exact, Self::TrimmedEnd, Self::Trimmed, Self::Folded];

    fn holds(self, a: &str, b: &str) -> bool {
        match self {
            Self::Exact => a == b,
            Self::TrimmedEnd => a.trim_end() == b.trim_end(),
            Self::Trimmed => a.trim() == b.trim(),
            Self::Folded => a.trim().nfc().map(fold).eq(b.trim().nfc().map(fold)),
        }
    }
}

fn fold(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2039}' | '\u{203a}' | '\u{ff07}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' => '"',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Every `allowed` place at which `pattern` stands, by the strictest comparison that finds any. `pattern` is not empty.
pub(super) fn all(lines: &[Line<'_>], pattern: &[&str], allowed: impl Fn(usize) -> bool) -> Vec<usize> {
    let found = |likeness: Likeness| -> Vec<usize> {
        let stands = |window: &[Line<'_>]| window.iter().zip(pattern).all(|(line, wanted)| likeness.holds(line.text, wanted));
        let windows = lines.windows(pattern.len().max(1)).enumerate();
        windows.filter(|(at, window)| allowed(*at) && stands(window)).map(|(at, _)| at).collect()
    };
    Likeness::ALL.into_iter().map(found).find(|places| !places.is_empty()).unwrap_or_default()
}

/// Whether `pattern` stands at `at`, by any comparison.
pub(super) fn stands_at(lines: &[Line<'_>], pattern: &[&str], at: usize) -> bool {
    let here = lines.get(at..).unwrap_or_default();
    here.len() >= pattern.len() && common(here, pattern) == pattern.len()
}

/// The place that agrees with the longest beginning of `pattern`, and how many lines agree there.
pub(super) fn closest(lines: &[Line<'_>], pattern: &[&str]) -> Option<(usize, usize)> {
    let mut best = None;
    for at in 0..lines.len() {
        let agreed = common(&lines[at..], pattern);
        if agreed > best.map_or(0, |(_, most)| most) {
            best = Some((at, agreed));
        }
    }
    best
}

fn common(here: &[Line<'_>], pattern: &[&str]) -> usize {
    here.iter().zip(pattern).take_while(|(line, wanted)| Likeness::Folded.holds(line.text, wanted)).count()
}
