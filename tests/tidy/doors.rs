//! `lib.rs` is a door: it lists modules and passes names on, and defines nothing that its modules could import back.

use crate::repository::{TextFile, assert_none, rust_files};
use crate::rust_source::split;
use regex::Regex;

fn complaints(files: &[TextFile]) -> Vec<String> {
    let attribute = Regex::new(r"#!?\[[^\]]*\]").expect("the expression is valid");
    let passage =
        Regex::new(r"^(pub\s*(\([^)]*\)\s*)?)?mod\s+\w+$|^pub\s*(\([^)]*\)\s*)?use\s").expect("the expression is valid");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.name() == "lib.rs") {
        let code = split(&file.text).code;
        let code = attribute.replace_all(&code, "");
        let items = code.split(';').map(str::trim).filter(|item| !item.is_empty());
        let rooms = items.filter(|item| !passage.is_match(item));
        let first_line = |item: &str| item.lines().next().unwrap_or_default().to_owned();
        found.extend(rooms.map(|item| format!("{}: `{}` belongs into a module of its own", file.path, first_line(item))));
    }
    found
}

#[test]
fn a_definition_in_a_door_is_found() {
    for text in
        ["pub fn a() {}", "pub mod a { }", "use std::fs;", "macro_rules! a { () => {} }", "pub struct A;", "include!(\"a\");"]
    {
        assert_eq!(complaints(&[TextFile::example("a/src/lib.rs", text)]).len(), 1, "{text}");
        assert!(complaints(&[TextFile::example("a/src/b.rs", text)]).is_empty());
    }
}

#[test]
fn modules_names_and_attributes_may_stand_in_a_door() {
    let good = "//! Doc.\n#![forbid(unsafe_code)]\npub mod a;\nmod b;\npub(crate) mod c;\n#[cfg(test)]\nmod tests;\npub use b::{D, E};\n";
    assert!(complaints(&[TextFile::example("a/src/lib.rs", good)]).is_empty());
}

#[test]
fn every_lib_is_a_door() {
    assert_none(&complaints(&rust_files()));
}
