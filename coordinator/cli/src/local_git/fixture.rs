//! A real repository for tests.

use super::{Git, Input, Repository};
use crate::surroundings::Surroundings;
use capstan_types::path::AbsPath;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A directory with a repository in it.
#[derive(Debug)]
pub struct Scene {
    /// It.
    pub dir: TempDir,
    /// Git as it is installed.
    pub git: Git,
}

impl Scene {
    /// With an empty repository.
    pub fn made() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scene = Self { git: Self::git_on(&std::env::var("PATH").unwrap()), dir };
        scene.init();
        scene
    }

    /// Git as this PATH has it.
    pub fn git_on(path: &str) -> Git {
        let variables = [("PATH".to_owned(), path.to_owned())].into();
        Git::find(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap()
    }

    /// Makes the repository.
    pub fn init(&self) {
        fs::create_dir_all(self.top()).unwrap();
        self.run(&["init", "-q", "--initial-branch=main"]);
    }

    /// The top of the work tree.
    pub fn top(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("top")
    }

    /// The repository.
    pub fn repository(&self) -> Repository {
        Repository::of(&self.git, &self.top()).unwrap()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// What is in a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.top().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Git in it; its output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let somebody = ["-c", "user.name=a", "-c", "user.email=a@b.example"];
        let out = self.git.within(&self.top()).ask(somebody.iter().chain(arguments), Input::Nothing).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Commits all.
    pub fn commit(&self, message: &str) {
        self.run(&["add", "--all"]);
        self.run(&["commit", "-q", "--allow-empty", "-m", message]);
    }
}
