//! Unfinished work is not kept in the source: no stubs, no ignored tests, no notes to a later self.

use crate::repository::{TextFile, assert_none, rust_files};
use crate::rust_source::{lines_with, split};
use regex::Regex;

/// Written in two parts, so that this file does not hold what it forbids.
const NOTES: [&str; 4] = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO"), concat!("HA", "CK")];

fn complaints(files: &[TextFile]) -> Vec<String> {
    let stub = Regex::new(r"\b(todo|unimplemented)!|#\[ignore\b|#\[should_panic\b").expect("the expression is valid");
    let note = Regex::new(&format!(r"\b({})\b", NOTES.join("|"))).expect("the expression is valid");
    let mut found = Vec::new();
    for file in files {
        let split = split(&file.text);
        let stubs = lines_with(&split.code, &stub).into_iter();
        found.extend(stubs.map(|line| format!("{}:{line}: a stub, or a test that is ignored or expects a panic", file.path)));
        let notes = lines_with(&split.comments, &note).into_iter();
        found.extend(notes.map(|line| format!("{}:{line}: a note about work that is left to do", file.path)));
    }
    found
}

#[test]
fn stubs_ignored_tests_and_notes_are_found() {
    let note = format!("// {}: later", NOTES[0]);
    let bad = ["fn a() { todo!() }", "fn a() { unimplemented!(\"b\") }", "#[ignore]\nfn a() {}", "#[ignore = \"slow\"]", &note];
    for text in bad {
        assert_eq!(complaints(&[TextFile::example("a/src/b.rs", text)]).len(), 1, "{text}");
    }
    let good = "// An mktemp template: aXXXXXX. todo!() in a comment is a word.\nlet a = \"#[ignore]\";";
    assert!(complaints(&[TextFile::example("a/src/b.rs", good)]).is_empty());
}

#[test]
fn nothing_is_left_to_do() {
    assert_none(&complaints(&rust_files()));
}
