//! The repository that a directory lies in.

use super::{Git, Input};
use crate::failure::Failure;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How a repository names objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With 40 digits.
    Sha1,
    /// With 64.
    Sha256,
}

impl Format {
    /// Its name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The name of the tree that holds nothing, which git knows without having it.
    #[must_use]
    pub const fn empty_tree(self) -> &'static str {
        match self {
            Self::Sha1 => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            Self::Sha256 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        }
    }

    /// What names no object.
    #[must_use]
    pub fn zero(self) -> String {
        "0".repeat(self.empty_tree().len())
    }
}

/// A repository with a work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The top of the work tree.
    pub top: PathBuf,
    /// What this work tree has of its own: its HEAD and its index.
    pub own: PathBuf,
    /// What all work trees of the repository share.
    pub common: PathBuf,
    /// Where its objects are.
    pub objects: PathBuf,
    /// How they are named.
    pub format: Format,
}

impl Repository {
    /// The one that `directory` lies in.
    ///
    /// # Errors
    /// There is none; bad input.
    pub fn of(git: &Git, directory: &Path) -> Result<Self, Failure> {
        let asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir", "--git-path"];
        let said = git.within(directory).run(asked.into_iter().chain(["objects", "--show-object-format"]), Input::Nothing)?;
        let mut lines = said.out.split(|byte| *byte == b'\n');
        let mut path = || lines.next().filter(|line| !line.is_empty()).map(|line| PathBuf::from(OsStr::from_bytes(line)));
        let (Some(top), Some(own), Some(common), Some(objects), Some(format), true) =
            (path(), path(), path(), path(), path(), said.is_success)
        else {
            return Err(no_repository(directory, &said.complaint()));
        };
        let format = if format.as_os_str() == "sha256" { Format::Sha256 } else { Format::Sha1 };
        // `core.worktree` may name any directory, and all of it would be uploaded or written to.
        let there = git.within(&top).run(["rev-parse", "--absolute-git-dir"], Input::Nothing)?;
        if there.out.strip_suffix(b"\n") != Some(own.as_os_str().as_bytes()) {
            let sentence = format!("{} is the work tree of another repository than {}", top.display(), own.display());
            return Err(
                Failure::bad_input(sentence).hint("its configuration names that work tree: git config --unset core.worktree")
            );
        }
        Ok(Self { top, own, common, objects, format })
    }
}

fn no_repository(directory: &Path, complaint: &str) -> Failure {
    let reason = if complaint.starts_with("not a git repository") { String::new() } else { format!(" ({complaint})") };
    Failure::bad_input(format!("{} is in no work tree of a git repository{reason}", directory.display()))
        .hint("change into the repository, or name it with -C DIR")
}

#[cfg(test)]
mod tests {
    use crate::local_git::Repository;
    use crate::local_git::fixture::Scene;

    #[test]
    fn a_configuration_cannot_name_another_work_tree() {
        let scene = Scene::made();
        scene.commit("begin");
        let linked = scene.dir.path().join("linked");
        scene.run(&["worktree", "add", "-q", linked.to_str().unwrap()]);
        assert_eq!(scene.repository().top, scene.top());
        assert!(Repository::of(&scene.git, &linked).unwrap().top.ends_with("linked"));
        scene.run(&["config", "core.worktree", scene.dir.path().to_str().unwrap()]);
        let failure = Repository::of(&scene.git, &scene.top()).expect_err("it is above the repository");
        assert!(failure.sentence.contains("work tree of another repository"), "{}", failure.sentence);
    }
}
