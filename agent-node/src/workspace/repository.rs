//! Where git keeps what a directory's repository consists of, besides the directory: what a session there must be able to read.
//!
//! Invariant: a file that a session may have written cannot name a place to be shown. A `.git` file is believed only where the directory
//! that it names points back at it.

use capstan_types::path::AbsPath;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const GIT: &str = ".git";
/// More than a path takes.
const MOST: u64 = 8192;

/// The work tree that `cwd` lies in, and, for a linked work tree, where its repository is. Nothing without a repository, and nothing when
/// the work tree is `home`, which holds more than a project. It blocks for a few file operations.
pub(crate) fn places(cwd: &Path, home: Option<&Path>) -> Vec<AbsPath> {
    let Some(top) = cwd.ancestors().find(|above| above.join(GIT).exists()).filter(|top| top.parent().is_some()) else {
        return Vec::new();
    };
    if home.is_some_and(|home| home.starts_with(top)) {
        return Vec::new();
    }
    let linked = linked(top).into_iter().flatten();
    [top.to_owned()].into_iter().chain(linked).filter_map(|place| AbsPath::new(place).ok()).collect()
}

/// The directory of a linked work tree, and the repository that it shares.
fn linked(top: &Path) -> Option<[PathBuf; 2]> {
    let file = top.join(GIT);
    let own = top.join(line(&file)?.strip_prefix("gitdir: ")?).canonicalize().ok()?;
    let back = PathBuf::from(line(&own.join("gitdir"))?);
    let shared = own.join(line(&own.join("commondir"))?).canonicalize().ok()?;
    // git lays linked work trees out like this and in no other way.
    (back == file && own.parent()? == shared.join("worktrees")).then_some([own, shared])
}

/// The first line of a small file. What is no file, a pipe for one, is not waited for.
fn line(path: &Path) -> Option<String> {
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    // Flags of Linux: do not wait, do not follow a link.
    let file = File::options().read(true).custom_flags(0o4000 | 0o400_000).open(path).ok()?;
    file.take(MOST).read_to_string(&mut text).ok()?;
    text.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cwd: &Path) -> Vec<PathBuf> {
        places(cwd, None).into_iter().map(|place| place.as_path().to_owned()).collect()
    }

    #[test]
    fn a_directory_in_a_work_tree_shows_the_work_tree() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join(".git")).unwrap();
        fs::create_dir_all(top.join("a/b")).unwrap();
        assert_eq!(shown(&top.join("a/b")), std::slice::from_ref(&top));
        assert_eq!(places(&top.join("a/b"), Some(&top)), []);
        assert_eq!(places(&top.join("a/b"), Some(&top.join("home"))), []);
    }

    #[test]
    fn a_linked_work_tree_shows_its_repository_and_a_forged_one_shows_nothing_more() {
        let dir = tempfile::tempdir().unwrap();
        let (top, shared) = (dir.path().canonicalize().unwrap().join("w"), dir.path().canonicalize().unwrap().join("r"));
        let own = shared.join("worktrees/w");
        fs::create_dir_all(&own).unwrap();
        fs::create_dir_all(&top).unwrap();
        fs::write(top.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        assert_eq!(shown(&top), std::slice::from_ref(&top), "without a way back");
        fs::write(own.join("gitdir"), format!("{}\n", top.join(".git").display())).unwrap();
        assert_eq!(shown(&top), [top.clone(), own, shared]);
        fs::write(top.join(".git"), "gitdir: /etc\n").unwrap();
        assert_eq!(shown(&top), [top]);
    }
}
