//! What a turn changed, as a unified diff with colours.

use super::page::{Detail, Page};
use crate::render::ink::Role;
use crate::render::text;

/// Lines of a diff that are shown.
const LINES: usize = 200;

pub(super) fn lines(page: &Page, diff: &str) -> Vec<String> {
    if diff.trim().is_empty() {
        return Vec::new();
    }
    match page.detail {
        Detail::Full => whole(page, diff),
        Detail::Brief => vec![summary(diff)],
    }
}

fn whole(page: &Page, diff: &str) -> Vec<String> {
    // Neither clipped nor with blanks for tabs: what is shown whole can be copied and applied.
    let mut shown = text::exact_lines(diff);
    let hidden = shown.len().saturating_sub(LINES);
    shown.truncate(LINES);
    let more = (hidden > 0).then(|| page.ink.paint(Role::Faint, &format!("… {} more", text::counted(hidden, "line"))));
    let parts = parts(&shown);
    let line = |(line, part): (&String, Part)| page.ink.paint_as(part.role(), line.clone());
    shown.iter().zip(parts).map(line).chain(more).collect()
}

fn summary(diff: &str) -> String {
    let lines = text::lines(diff);
    let parts = parts(&lines);
    let count = |wanted: Part| parts.iter().filter(|part| **part == wanted).count();
    let files = parts.iter().zip(&lines).filter(|(part, line)| **part == Part::Heading && line.starts_with("+++ ")).count();
    format!("changed {}: {} added, {} removed", text::counted(files, "file"), count(Part::Added), count(Part::Removed))
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Heading,
    Place,
    Added,
    Removed,
    Context,
}

impl Part {
    const fn role(self) -> Option<Role> {
        match self {
            Self::Heading => Some(Role::Strong),
            Self::Place => Some(Role::Place),
            Self::Added => Some(Role::Added),
            Self::Removed => Some(Role::Removed),
            Self::Context => None,
        }
    }
}

/// Tells the lines apart by counting, because a removed line may look like a heading: `-- x` becomes `--- x`.
fn parts(lines: &[String]) -> Vec<Part> {
    let mut left = (0_usize, 0_usize);
    let part = |line: &String| {
        if left == (0, 0) {
            return match hunk(line) {
                Some(counts) => {
                    left = counts;
                    Part::Place
                }
                None => Part::Heading,
            };
        }
        match line.chars().next() {
            Some('+') => {
                left.1 = left.1.saturating_sub(1);
                Part::Added
            }
            Some('-') => {
                left.0 = left.0.saturating_sub(1);
                Part::Removed
            }
            Some('\\') => Part::Context,
            Some(_) | None => {
                left = (left.0.saturating_sub(1), left.1.saturating_sub(1));
                Part::Context
            }
        }
    };
    lines.iter().map(part).collect()
}

/// How many old and new lines follow `@@ -l,n +l,n @@`.
fn hunk(line: &str) -> Option<(usize, usize)> {
    let (old, new) = line.strip_prefix("@@ -")?.split_once(" @@")?.0.split_once(" +")?;
    let count = |range: &str| range.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok());
    Some((count(old)?, count(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1,2 @@\n--- old remark\n+-- new remark\n select 1;\n\\ No newline\n";

    #[test]
    fn a_removed_line_is_not_taken_for_a_heading() {
        let lines = text::lines(SQL);
        let expected = [Part::Heading, Part::Heading, Part::Place, Part::Removed, Part::Added, Part::Context, Part::Heading];
        assert_eq!(parts(&lines), expected);
        assert_eq!(summary(SQL), "changed 1 file: 1 added, 1 removed");
    }

    #[test]
    fn a_diff_is_shown_so_that_it_can_be_applied() {
        let long = "x".repeat(300);
        let diff = format!("--- a/Makefile\t\n+++ b/Makefile\t\n@@ -1 +1 @@\n-all:\n+\t{long}\n");
        let page = Page { ink: crate::render::Ink::Plain, width: 40, detail: Detail::Full };
        assert_eq!(lines(&page, &diff).join("\n") + "\n", diff);
    }

    #[test]
    fn a_range_without_a_count_is_one_line() {
        assert_eq!(hunk("@@ -3 +3,0 @@ fn main()"), Some((1, 0)));
        assert_eq!(hunk("@@ nonsense @@"), None);
    }
}
