//! The state of some files as far as it can be told without opening them: names, sizes, times, and what links lead to.

use capstan_types::path::AbsPath;
use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;

/// What is known of some files without opening them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Differs from another one when any of the files may have changed.
    pub(crate) text: String,
    /// Whether none of them exists.
    pub(crate) none: bool,
}

/// Looks at the files. It blocks for two file operations for each of them.
pub(crate) fn stamp(paths: &[AbsPath]) -> Stamp {
    let mut state = DefaultHasher::new();
    let mut none = true;
    for path in paths {
        path.as_str().hash(&mut state);
        // What cannot be looked at counts as there: whoever reads it says why it cannot be read.
        let own = fs::symlink_metadata(path.as_path());
        none &= own.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        own.ok().map(|own| numbers(&own)).hash(&mut state);
        fs::metadata(path.as_path()).ok().map(|target| numbers(&target)).hash(&mut state);
    }
    Stamp { text: format!("{:016x}", state.finish()), none }
}

fn numbers(of: &Metadata) -> [i128; 9] {
    [
        of.dev().into(),
        of.ino().into(),
        of.mode().into(),
        of.uid().into(),
        of.size().into(),
        of.mtime().into(),
        of.mtime_nsec().into(),
        of.ctime().into(),
        of.ctime_nsec().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_differs_when_a_file_or_what_a_link_leads_to_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| AbsPath::new(dir.path().join(name)).unwrap();
        let paths = [path("a"), path("link")];
        let nothing = stamp(&paths);
        assert!(nothing.none);
        std::os::unix::fs::symlink(dir.path().join("target"), path("link")).unwrap();
        let dangling = stamp(&paths);
        fs::write(path("target"), "x").unwrap();
        let leads = stamp(&paths);
        fs::write(path("target"), "xy").unwrap();
        let changed = stamp(&paths);
        let all = [&nothing, &dangling, &leads, &changed];
        assert!(all.iter().enumerate().all(|(at, one)| all[..at].iter().all(|other| other.text != one.text)), "{all:?}");
        assert!(all[1..].iter().all(|one| !one.none));
        assert_eq!(stamp(&paths), changed);
    }
}
