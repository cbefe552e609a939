//! Names that say nothing about what is inside: what has no name has no home.

use crate::repository::{TextFile, assert_none, rust_files};
use crate::rust_source::{lines_with, split};
use regex::Regex;

/// Names for drawers, and the file name that makes every tab of an editor look the same.
const FORBIDDEN: [&str; 9] = ["utils", "util", "common", "helpers", "helper", "misc", "shared", "manager_impl", "mod"];

fn complaints(files: &[TextFile]) -> Vec<String> {
    let inline = Regex::new(&format!(r"\bmod\s+({})\b", FORBIDDEN.join("|"))).expect("the expression is valid");
    let mut found = Vec::new();
    for file in files {
        if let Some(name) = path_names(&file.path).find(|name| FORBIDDEN.contains(name)) {
            found.push(format!("{}: `{name}` does not say what is inside", file.path));
        }
        let lines = lines_with(&split(&file.text).code, &inline);
        found.extend(
            lines.into_iter().map(|line| format!("{}:{line}: a module name that does not say what is inside", file.path)),
        );
    }
    found
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').map(|name| name.strip_suffix(".rs").unwrap_or(name))
}

#[test]
fn a_drawer_is_found_by_its_file_its_directory_and_its_module() {
    let bad = [
        TextFile::example("a/src/utils.rs", "//! x"),
        TextFile::example("a/src/common/b.rs", ""),
        TextFile::example("a/src/b/mod.rs", ""),
        TextFile::example("a/src/lib.rs", "pub mod helpers { }"),
    ];
    assert_eq!(complaints(&bad).len(), 4);
    let good = [TextFile::example("a/src/commons.rs", "// mod utils;\nmod helpers_of_none;")];
    assert!(complaints(&good).is_empty(), "{:?}", complaints(&good));
}

#[test]
fn no_module_is_a_drawer() {
    assert_none(&complaints(&rust_files()));
}
