//! Real git repositories, and directory trees that can be compared whole.

use crate::process::command;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Directories that are no part of what a turn is asked to change.
const NOT_CONTENT: [&str; 2] = [".git", "target"];

/// A git repository.
#[derive(Debug, Clone)]
pub struct Repository {
    dir: PathBuf,
}

impl Repository {
    /// Makes `dir`, writes these files into it, and commits them.
    ///
    /// # Panics
    /// When a file cannot be written, or git is missing or refuses.
    #[must_use]
    pub fn with_files(dir: &Path, files: &[(&str, &str)]) -> Self {
        for (path, content) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("directories can be made");
            fs::write(path, content).expect("a file can be written");
        }
        Self::of(dir)
    }

    /// Makes a repository of what `dir` holds, and commits it.
    ///
    /// # Panics
    /// When git is missing or refuses.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let repository = Self { dir: dir.to_owned() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit_all("begin");
        repository
    }

    /// The repository that is there.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Commits everything.
    ///
    /// # Panics
    /// When there is nothing to commit.
    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// The changes since the last commit, as `git diff` shows them.
    #[must_use]
    pub fn diff(&self) -> String {
        self.git(&["diff", "--no-color", "HEAD"])
    }

    /// Runs git in the repository, free of this user's configuration, and returns what it prints.
    ///
    /// # Panics
    /// When git is missing or fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut git = command("git");
        git.current_dir(&self.dir).args(["-c", "user.name=Test", "-c", "user.email=test@example.org"]).args(arguments);
        git.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C.UTF-8")]);
        git.envs([("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")]);
        let output = git.output().expect("git can be started: install it to run these tests");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// What a path of a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File { executable: bool, content: Vec<u8> },
    Link { to: PathBuf },
}

/// The files of a directory: paths, content, whether they may be executed, where links lead. `.git` and `target` are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

impl Tree {
    /// Reads a directory.
    ///
    /// # Panics
    /// When something in it cannot be read.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        let mut tree = Self { entries: BTreeMap::new() };
        tree.read(dir, "");
        tree
    }

    /// This tree, but with this file.
    #[must_use]
    pub fn with(mut self, path: &str, content: &str) -> Self {
        let executable = matches!(self.entries.get(path), Some(Entry::File { executable: true, .. }));
        self.entries.insert(path.to_owned(), Entry::File { executable, content: content.into() });
        self
    }

    /// This tree, without this file.
    ///
    /// # Panics
    /// When there is no such file.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        assert!(self.entries.remove(path).is_some(), "there is no {path}");
        self
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When there is no such file, or it is not text.
    #[must_use]
    pub fn text(&self, path: &str) -> String {
        let Some(Entry::File { content, .. }) = self.entries.get(path) else { panic!("there is no file {path}") };
        String::from_utf8(content.clone()).expect("the file is text")
    }

    /// What differs, one line per path.
    #[must_use]
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let paths: std::collections::BTreeSet<&String> = self.entries.keys().chain(expected.entries.keys()).collect();
        paths.into_iter().filter_map(|path| difference(path, self.entries.get(path), expected.entries.get(path))).collect()
    }

    /// Fails the test, with what differs, unless the trees are equal.
    ///
    /// # Panics
    /// When they are not.
    pub fn assert_is(&self, expected: &Self) {
        let differences = self.differences(expected);
        assert!(differences.is_empty(), "the trees differ:\n{}", differences.join("\n"));
    }

    fn read(&mut self, dir: &Path, prefix: &str) {
        for entry in fs::read_dir(dir).expect("the directory can be listed").map(|entry| entry.expect("the entry can be read")) {
            let name = entry.file_name().into_string().expect("names in tests are UTF-8");
            let (path, at) = (entry.path(), format!("{prefix}{name}"));
            let data = entry.metadata().expect("the entry can be looked at");
            if data.is_symlink() {
                self.entries.insert(at, Entry::Link { to: fs::read_link(path).expect("the link can be read") });
            } else if data.is_file() {
                let executable = data.permissions().mode() & 0o111 != 0;
                self.entries.insert(at, Entry::File { executable, content: fs::read(path).expect("the file can be read") });
            } else if data.is_dir() && !NOT_CONTENT.contains(&name.as_str()) {
                self.read(&path, &format!("{at}/"));
            }
        }
    }
}

fn difference(path: &str, is: Option<&Entry>, expected: Option<&Entry>) -> Option<String> {
    match (is, expected) {
        (is, expected) if is == expected => None,
        (Some(_), None) => Some(format!("{path}: should not be there")),
        (None, _) => Some(format!("{path}: is missing")),
        (Some(Entry::File { content: is, executable: a }), Some(Entry::File { content: expected, executable: b })) => {
            let (is, expected) = (String::from_utf8_lossy(is), String::from_utf8_lossy(expected));
            let line = is.lines().zip(expected.lines()).position(|(is, expected)| is != expected);
            let place = line.map_or_else(|| "in its length or mode".to_owned(), |line| format!("first in line {}", line + 1));
            Some(format!("{path}: differs {place} (executable: {a}, expected: {b})"))
        }
        (Some(_), Some(_)) => Some(format!("{path}: one is a link, the other is not, or they lead elsewhere")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_holds_its_files_and_shows_changes() {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::with_files(dir.path(), &[("a.txt", "one\n"), ("b/c.txt", "two\n")]);
        assert_eq!(repository.git(&["ls-files"]), "a.txt\nb/c.txt\n");
        assert_eq!(repository.diff(), "");
        fs::write(dir.path().join("a.txt"), "three\n").unwrap();
        assert!(repository.diff().contains("-one\n+three\n"));
        repository.commit_all("change");
        assert_eq!(repository.git(&["log", "--format=%s"]), "change\nbegin\n");
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = [("same", "x"), ("text", "a\nb\n"), ("mode", "x"), ("gone", "x"), ("target/made", "x")];
        for dir in [&left, &right] {
            let _ = Repository::with_files(dir.path(), &files);
        }
        Tree::of(left.path()).assert_is(&Tree::of(right.path()));
        fs::write(left.path().join("text"), "a\nc\n").unwrap();
        fs::write(left.path().join("target/made"), "y").unwrap();
        fs::set_permissions(left.path().join("mode"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_file(left.path().join("gone")).unwrap();
        std::os::unix::fs::symlink("same", left.path().join("link")).unwrap();
        let differences = Tree::of(left.path()).differences(&Tree::of(right.path()));
        let parts = [
            "gone: is missing",
            "link: should not be there",
            "mode: differs in its length or mode",
            "text: differs first in line 2",
        ];
        assert_eq!(differences.len(), parts.len(), "{differences:#?}");
        for (difference, part) in differences.iter().zip(parts) {
            assert!(difference.contains(part), "{difference}");
        }
    }

    #[test]
    fn an_expected_tree_is_made_from_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let _ = Repository::with_files(dir.path(), &[("a", "1"), ("b", "2")]);
        let expected = Tree::of(dir.path()).with("a", "3").with("c", "4").without("b");
        fs::write(dir.path().join("a"), "3").unwrap();
        fs::rename(dir.path().join("b"), dir.path().join("c")).unwrap();
        fs::write(dir.path().join("c"), "4").unwrap();
        Tree::of(dir.path()).assert_is(&expected);
        assert_eq!(expected.text("c"), "4");
    }
}
