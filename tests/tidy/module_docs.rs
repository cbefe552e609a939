//! Every module says at its top why it exists, and the map in ARCHITECTURE.md names every crate.

use crate::repository::{TextFile, assert_none, metadata, root, rust_files, text_files};
use std::path::Path;

fn undocumented(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.name() != "tests.rs") // documented by the module whose tests it holds
        .filter(|file| !says_something(&file.text))
        .map(|file| format!("{}: does not begin with `//!` and a sentence that says why it exists", file.path))
        .collect()
}

fn says_something(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|said| said.trim().len() > 10)
}

/// The directories of crates, relative to the root, that the map does not name.
fn unmapped(map: &str, crate_dirs: &[String]) -> Vec<String> {
    crate_dirs
        .iter()
        .filter(|dir| !map.contains(&format!("`{dir}`")))
        .map(|dir| format!("ARCHITECTURE.md: the code map does not name `{dir}`"))
        .collect()
}

fn crate_dirs() -> Vec<String> {
    let (metadata, root) = (metadata(), root());
    let packages = metadata["packages"].as_array().expect("metadata lists packages").iter();
    let manifests = packages.map(|package| package["manifest_path"].as_str().expect("a package has a manifest").to_owned());
    let dirs = manifests.map(|path| Path::new(&path).parent().expect("a manifest lies in a directory").to_owned());
    dirs.map(|dir| format!("{}/", dir.strip_prefix(&root).expect("our crates lie below the root").display())).collect()
}

#[test]
fn a_module_that_does_not_say_why_it_exists_is_found() {
    let bad = ["use std::fs;\n//! Too late to say it.\n", "//! x\n", "// Not a doc comment.\n", ""];
    for text in bad {
        assert_eq!(undocumented(&[TextFile::example("a/src/b.rs", text)]).len(), 1, "{text}");
    }
    let good =
        [TextFile::example("a/src/b.rs", "\n//! Keeps things apart.\n"), TextFile::example("a/src/b/tests.rs", "use x;\n")];
    assert!(undocumented(&good).is_empty());
}

#[test]
fn a_crate_that_is_not_on_the_map_is_found() {
    let found = unmapped("| `proto/types/` | nouns |", &["proto/types/".to_owned(), "shed/".to_owned()]);
    assert_eq!(found, ["ARCHITECTURE.md: the code map does not name `shed/`"]);
}

#[test]
fn every_module_says_why_it_exists() {
    assert_none(&undocumented(&rust_files()));
}

#[test]
fn every_crate_is_on_the_map() {
    let files = text_files();
    let map = files.iter().find(|file| file.path == "ARCHITECTURE.md").expect("there is an ARCHITECTURE.md");
    assert_none(&unmapped(&map.text, &crate_dirs()));
}
