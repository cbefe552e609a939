//! No files of a crate import from each other in a circle: what cannot be understood alone cannot be changed alone.
//!
//! A module and the files of its own folder are one room: a child may import what its parent defines.

use crate::module_graph::Graph;
use crate::orphans::crate_roots;
use crate::repository::{TextFile, assert_none, rust_files};
use std::collections::{BTreeMap, BTreeSet};

fn complaints(root_file: &str, files: &[TextFile]) -> Vec<String> {
    let graph = Graph::from_root(root_file, files);
    let mut arrows = graph.arrows();
    arrows.iter_mut().for_each(|(file, targets)| targets.retain(|target| !is_ancestor(target, file)));
    let mut told: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
    for &file in arrows.keys() {
        let ring: BTreeSet<&str> =
            reachable(&arrows, file).into_iter().filter(|other| reachable(&arrows, other).contains(file)).collect();
        if ring.len() > 1 {
            told.insert(ring);
        }
    }
    told.iter().map(|ring| format!("these files import from each other in a circle:{}", drawing(&arrows, ring))).collect()
}

/// Whether `file` lies in the folder of the module that `other` is.
fn is_ancestor(other: &str, file: &str) -> bool {
    other.strip_suffix(".rs").and_then(|module| file.strip_prefix(module)).is_some_and(|rest| rest.starts_with('/'))
}

/// One line for each file of the ring, with what it imports from the others.
fn drawing(arrows: &BTreeMap<&str, BTreeSet<&str>>, ring: &BTreeSet<&str>) -> String {
    let imports = |file: &str| arrows[file].intersection(ring).copied().collect::<Vec<_>>().join(", ");
    ring.iter().map(|file| format!("\n    {file} imports from {}", imports(file))).collect()
}

/// Every file that is imported from `start`, directly or through others; `start` itself only if it is on a circle.
fn reachable<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = arrows.get(start).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(arrows.get(file).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn a_circle_is_found_once_with_all_its_files() {
    let files = [
        TextFile::example("a/src/lib.rs", "mod b;\nmod c;\nmod d;\nmod e;"),
        TextFile::example("a/src/b.rs", "use crate::c::X;"),
        TextFile::example("a/src/c.rs", "use super::d::{Y, Z};"),
        TextFile::example("a/src/d.rs", "fn f() { crate::b::g() }"),
        TextFile::example("a/src/e.rs", "use crate::b;"),
    ];
    let circle = [
        "these files import from each other in a circle:",
        "    a/src/b.rs imports from a/src/c.rs",
        "    a/src/c.rs imports from a/src/d.rs",
        "    a/src/d.rs imports from a/src/b.rs",
    ];
    assert_eq!(complaints("a/src/lib.rs", &files), [circle.join("\n")]);
}

#[test]
fn a_parent_and_its_own_child_are_one_room_but_siblings_are_not() {
    let parent = TextFile::example("a/src/b.rs", "mod c;\nmod d;\nuse c::X;\nstruct Y;");
    let root = || TextFile::example("a/src/lib.rs", "mod b;");
    let sound = [root(), parent, TextFile::example("a/src/b/c.rs", "use super::Y;"), TextFile::example("a/src/b/d.rs", "")];
    assert_eq!(complaints("a/src/lib.rs", &sound), Vec::<String>::new());
    let [root, parent, ..] = sound;
    let (c, d) = ("use super::d::Z;", "use super::c::X;");
    let bad = [root, parent, TextFile::example("a/src/b/c.rs", c), TextFile::example("a/src/b/d.rs", d)];
    assert_eq!(complaints("a/src/lib.rs", &bad).len(), 1);
}

#[test]
fn no_files_import_from_each_other_in_a_circle() {
    let files = rust_files();
    let found: Vec<String> = crate_roots().iter().flat_map(|root| complaints(root, &files)).collect();
    assert_none(&found);
}
