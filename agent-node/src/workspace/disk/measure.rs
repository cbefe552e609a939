//! How much of the disk lies below a directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most names that are looked at. A workspace that has more takes more than is told.
const MOST_NAMES: u64 = 1_000_000;

/// What the kernel counts blocks in, in bytes.
const BLOCK: u64 = 512;

/// How much something takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) bytes: u64,
    /// Whether it is more.
    pub(super) more: bool,
}

/// Adds up what lies on the file system of `top` at or below it: a layer that is mounted there is counted where its files lie, and not where
/// they are seen. Names are looked at, and no file is opened; no link is followed.
pub(super) fn measure(top: &Path) -> Size {
    let Ok(device) = fs::symlink_metadata(top).map(|top| top.dev()) else { return Size::default() };
    let (mut size, mut names) = (Size::default(), 0);
    let mut ahead: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(directory) = ahead.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            names += 1;
            if names > MOST_NAMES {
                return Size { more: true, ..size };
            }
            let Ok(found) = fs::symlink_metadata(entry.path()) else { continue };
            if found.dev() != device {
                continue;
            }
            // A file with several names is shared by them.
            let shared = if found.is_dir() { 1 } else { found.nlink().max(1) };
            size.bytes += found.blocks() * BLOCK / shared;
            if found.is_dir() {
                ahead.push(entry.path());
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_there_is_counted_once_and_no_link_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("w/deep")).unwrap();
        fs::write(at("w/deep/file"), vec![1; 1 << 20]).unwrap();
        fs::hard_link(at("w/deep/file"), at("w/again")).unwrap();
        fs::write(at("outside"), vec![1; 8 << 20]).unwrap();
        std::os::unix::fs::symlink("../outside", at("w/link")).unwrap();
        std::os::unix::fs::symlink(".", at("w/loop")).unwrap();
        let hole = fs::File::create(at("w/hole")).unwrap();
        hole.set_len(1 << 32).unwrap();
        let size = measure(&at("w"));
        assert!((1 << 20..2 << 20).contains(&size.bytes) && !size.more, "{size:?}");
        assert_eq!(measure(&at("nothing")), Size::default());
    }
}
