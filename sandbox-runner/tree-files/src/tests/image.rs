//! What a tree looks like to somebody who only looks: an oracle that shares nothing with the code under test.

use capstan_types::tree_document::Differing;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Every name of a tree with what it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Image(BTreeMap<Vec<Vec<u8>>, Thing>);

#[derive(Debug, PartialEq, Eq)]
struct Thing {
    kind: &'static str,
    mode: u32,
    modified: (i64, i64),
    content: Vec<u8>,
}

pub(super) fn image(top: &Path) -> Image {
    let mut things = BTreeMap::new();
    walk(top, &mut Vec::new(), &mut things);
    Image(things)
}

fn walk(directory: &Path, above: &mut Vec<Vec<u8>>, things: &mut BTreeMap<Vec<Vec<u8>>, Thing>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, facts) = (entry.path(), fs::symlink_metadata(entry.path()).unwrap());
        above.push(entry.file_name().as_bytes().to_vec());
        let (kind, content) = if facts.is_dir() {
            walk(&path, above, things);
            ("directory", Vec::new())
        } else if facts.is_symlink() {
            ("link", fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec())
        } else if facts.file_type().is_fifo() {
            ("pipe", Vec::new())
        } else {
            ("file", fs::read(&path).unwrap())
        };
        let thing = Thing { kind, mode: facts.mode() & 0o7777, modified: (facts.mtime(), facts.mtime_nsec()), content };
        things.insert(above.clone(), thing);
        above.pop();
    }
}

impl Image {
    /// The paths of files.
    pub(super) fn files(&self) -> Vec<String> {
        self.0.iter().filter(|(_, thing)| thing.kind == "file").map(|(path, _)| text(path)).collect()
    }

    /// How another differs from this one.
    pub(super) fn differs(&self, other: &Self) -> Vec<(String, Differing)> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let differs = |path| match (self.0.get(path), other.0.get(path)) {
            (Some(_), None) => Some(Differing::Removed),
            (None, _) => Some(Differing::Added),
            (Some(one), Some(other)) if one.kind != other.kind || one.content != other.content => Some(Differing::Changed),
            (Some(one), Some(other)) => (one.mode != other.mode && one.kind != "link").then_some(Differing::Mode),
        };
        paths.into_iter().filter_map(|path| Some((text(path), differs(path)?))).collect()
    }
}

fn text(path: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&path.join(&b'/')).into_owned()
}
