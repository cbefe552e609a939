//! Every Rust file is part of a crate: a file that no `mod` names is neither compiled nor tested, and nobody notices.

use crate::module_graph::Graph;
use crate::repository::{TextFile, assert_none, metadata, root, rust_files};
use std::collections::BTreeSet;
use std::path::Path;

/// A workspace of its own, of which cargo's answer about this one says nothing.
const FUZZ: &str = "tests/fuzz/";

/// The root file of every fuzz target.
fn fuzz_roots() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(FUZZ).join("Cargo.toml")).expect("the fuzz targets have a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let targets = manifest["bin"].as_array().expect("a manifest lists its programs").iter();
    targets.map(|target| format!("{FUZZ}{}", target["path"].as_str().expect("a program has a path"))).collect()
}

fn complaints(roots: &[String], files: &[TextFile]) -> Vec<String> {
    let graphs: Vec<Graph> = roots.iter().map(|root| Graph::from_root(root, files)).collect();
    let reached: BTreeSet<&str> = graphs.iter().flat_map(Graph::files).collect();
    let forgotten = files.iter().map(|file| file.path.as_str()).filter(|path| !reached.contains(path));
    forgotten.map(|path| format!("{path}: no `mod` declaration leads to this file")).collect()
}

/// The root file of every target of the workspace, relative to the root.
pub(crate) fn crate_roots() -> Vec<String> {
    let (metadata, root) = (metadata(), root());
    let packages = metadata["packages"].as_array().expect("metadata lists packages").iter();
    let targets = packages.flat_map(|package| package["targets"].as_array().expect("a package lists its targets"));
    let files = targets.map(|target| target["src_path"].as_str().expect("a target has a root file"));
    let below = files.map(|file| Path::new(file).strip_prefix(&root).expect("our crates lie below the root"));
    below.map(|file| file.to_str().expect("our paths are UTF-8").to_owned()).collect()
}

#[test]
fn a_file_that_no_module_declares_is_found() {
    let files = [
        TextFile::example("a/src/lib.rs", "mod b;\n#[cfg(test)]\nmod tests;\n// mod d;"),
        TextFile::example("a/src/b.rs", "mod c;"),
        TextFile::example("a/src/b/c.rs", ""),
        TextFile::example("a/src/tests.rs", ""),
        TextFile::example("a/src/d.rs", ""),
    ];
    assert_eq!(complaints(&["a/src/lib.rs".to_owned()], &files), ["a/src/d.rs: no `mod` declaration leads to this file"]);
}

#[test]
fn every_file_belongs_to_a_crate() {
    let roots = [crate_roots(), fuzz_roots()].concat();
    assert_none(&complaints(&roots, &rust_files()));
}
