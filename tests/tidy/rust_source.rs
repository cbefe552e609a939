//! Splits Rust source into code and comments, so that a check for a word in code is not fooled by a sentence or a string.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// The same source twice, each with the other's characters, and the content of all literals, replaced by spaces. Lines stay lines.
pub(crate) struct Split {
    /// The code.
    pub(crate) code: String,
    /// The comments.
    pub(crate) comments: String,
}

/// Splits a file.
pub(crate) fn split(source: &str) -> Split {
    let chars: Vec<char> = source.chars().collect();
    let mut splitter = Splitter { chars: &chars, at: 0, code: String::new(), comments: String::new() };
    while splitter.at < chars.len() {
        splitter.step();
    }
    Split { code: splitter.code, comments: splitter.comments }
}

/// The code without what is compiled for tests only.
pub(crate) fn without_test_items(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut left = code.to_owned();
    while let Some(start) = left.find(MARK) {
        let end = item_end(&left, start + MARK.len());
        let blank: String = left[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        left.replace_range(start..end, &blank);
    }
    left
}

/// The byte range of each module that is written in the file itself, with its name.
pub(crate) fn inline_modules(code: &str) -> Vec<(String, Range<usize>)> {
    static START: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bmod\s+(\w+)\s*\{").expect("the expression is valid"));
    let range = |hit: regex::Match<'_>| hit.start()..item_end(code, hit.start());
    START.captures_iter(code).filter_map(|hit| Some((hit[1].to_owned(), range(hit.get(0)?)))).collect()
}

/// Where the item that begins after `from` ends: behind its `;`, or behind its closing brace.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[from..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return from + offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return from + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// The numbers, from 1, of the lines in which `needle` matches.
pub(crate) fn lines_with(text: &str, needle: &Regex) -> Vec<usize> {
    text.lines().enumerate().filter(|(_, line)| needle.is_match(line)).map(|(index, _)| index + 1).collect()
}

struct Splitter<'a> {
    chars: &'a [char],
    at: usize,
    code: String,
    comments: String,
}

impl Splitter<'_> {
    fn step(&mut self) {
        match (self.chars[self.at], self.peek(1)) {
            ('/', Some('/')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.quoted('"'),
            ('\'', Some('\\')) => self.quoted('\''),
            ('\'', Some(_)) if self.peek(2) == Some('\'') => self.quoted('\''),
            ('r', _) => self.raw_string_or_code(),
            _ => self.code(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn code(&mut self) {
        let c = self.chars[self.at];
        self.code.push(c);
        self.comments.push(if c == '\n' { '\n' } else { ' ' });
        self.at += 1;
    }

    fn comment(&mut self) {
        let c = self.chars[self.at];
        self.comments.push(c);
        self.code.push(if c == '\n' { '\n' } else { ' ' });
        self.at += 1;
    }

    fn neither(&mut self) {
        let c = if self.chars[self.at] == '\n' { '\n' } else { ' ' };
        self.comments.push(c);
        self.code.push(c);
        self.at += 1;
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.comment();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.comment();
                    continue;
                }
            }
            self.comment();
            self.comment();
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self, mark: char) {
        self.code();
        while let Some(c) = self.peek(0) {
            if c == mark {
                return self.code();
            }
            self.neither();
            if c == '\\' && self.peek(0).is_some() {
                self.neither();
            }
        }
    }

    fn raw_string_or_code(&mut self) {
        let hashes = self.chars[self.at + 1..].iter().take_while(|c| **c == '#').count();
        if self.peek(1 + hashes) != Some('"') || self.continues_a_name() {
            return self.code();
        }
        (0..hashes + 2).for_each(|_| self.code());
        while self.at < self.chars.len() && !self.ends_raw(hashes) {
            self.neither();
        }
        (0..=hashes).take_while(|_| self.at < self.chars.len()).collect::<Vec<_>>().iter().for_each(|_| self.code());
    }

    /// Whether the character before belongs to the same word; `b` and `c` are prefixes of literals.
    fn continues_a_name(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.chars[at]);
        before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c')
    }

    fn ends_raw(&self, hashes: usize) -> bool {
        self.peek(0) == Some('"') && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_taken_out_of_code() {
        let source =
            "let a = \"todo!() \\\" // no\"; // why\n/* x /* y */ z */ let b = r#\"{\"#; let c = '{'; let d: &'a str = b\"{\";";
        let split = split(source);
        assert!(!split.code.contains("todo") && !split.code.contains("why") && !split.code.contains('{'));
        assert!(split.code.contains("let a") && split.code.contains("let d: &'a str"));
        assert_eq!(split.comments.trim(), "// why\n/* x /* y */ z */");
        assert_eq!(split.code.lines().count(), 2);
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_file() {
        for source in ["\"abc", "r##\"abc\"#", "/* abc", "'\\", "r"] {
            assert_eq!(split(source).code.chars().count(), source.chars().count(), "{source}");
        }
    }

    #[test]
    fn items_for_tests_are_taken_out_whole() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(); }\n}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        let left = without_test_items(code);
        assert!(left.contains("fn a") && left.contains("fn d") && !left.contains("tests") && !left.contains("more"));
        assert_eq!(left.lines().count(), code.lines().count());
    }
}
