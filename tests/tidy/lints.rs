//! Every crate takes the lints of the workspace, and switches one off only with a reason.

use crate::repository::{TextFile, assert_none, rust_files, text_files};
use crate::rust_source::{lines_with, split};
use regex::Regex;

fn without_lints(manifests: &[TextFile]) -> Vec<String> {
    let takes_them = |file: &&TextFile| {
        let manifest: toml::Table = file.text.parse().expect("cargo has read this file before us");
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        lints == Some(true) || !manifest.contains_key("package")
    };
    let missing = manifests.iter().filter(|file| !takes_them(file));
    missing.map(|file| format!("{}: needs `[lints]` with `workspace = true`", file.path)).collect()
}

/// Hold generated code, which changes what it needs with the version of the generator.
const GENERATED: [&str; 2] = ["proto/src/wire.rs", "proto/registry/src/etcd/wire.rs"];

/// `expect` tells when it has become needless; `allow` stays for ever.
fn allowed(files: &[TextFile]) -> Vec<String> {
    let allow = Regex::new(r"#!?\[allow\(").expect("the expression is valid");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !GENERATED.contains(&file.path.as_str())) {
        let lines = lines_with(&split(&file.text).code, &allow).into_iter();
        found.extend(lines.map(|line| format!("{}:{line}: use `#[expect(…, reason = …)]` instead of `allow`", file.path)));
    }
    found
}

#[test]
fn a_crate_without_the_lints_of_the_workspace_is_found() {
    let bad = ["[package]\nname = \"a\"\n", "[package]\nname = \"a\"\n[lints]\nworkspace = false\n", "[package]\n[lints.rust]\n"];
    for text in bad {
        assert_eq!(without_lints(&[TextFile::example("a/Cargo.toml", text)]).len(), 1, "{text}");
    }
    let good = ["[workspace]\n", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"];
    assert!(without_lints(&good.map(|text| TextFile::example("Cargo.toml", text))).is_empty());
}

#[test]
fn a_lint_that_is_allowed_for_ever_is_found() {
    let bad = TextFile::example("a/src/b.rs", "#[allow(dead_code, reason = \"b\")]\nfn a() {}\n#![allow(x)]");
    assert_eq!(allowed(&[bad]).len(), 2);
    assert!(allowed(&[TextFile::example("a/src/b.rs", "#[expect(dead_code, reason = \"b\")]\n// #[allow(x)]")]).is_empty());
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let manifests: Vec<TextFile> = text_files().into_iter().filter(|file| file.name() == "Cargo.toml").collect();
    assert_none(&without_lints(&manifests));
}

#[test]
fn no_lint_is_allowed_for_ever() {
    assert_none(&allowed(&rust_files()));
}
