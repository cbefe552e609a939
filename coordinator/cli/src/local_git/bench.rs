//! A git directory of our own beside a repository: states are made and compared on it, with the repository's objects at hand. Nothing of the
//! repository's configuration, attributes or index has a say, so that files are taken and written byte for byte.

use super::{Format, Git, Repository};
use crate::failure::Failure;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where new objects go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// They are gone with the bench.
    Own,
    /// Into the repository.
    Kept,
}

/// The bench. It is removed when it is dropped.
#[derive(Debug)]
pub struct Bench {
    git: Git,
    dir: TempDir,
}

impl Bench {
    /// Makes one beside `repository`.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn beside(git: &Git, repository: &Repository, objects: Objects) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("no temporary directory can be made: {error}"));
        let dir = tempfile::Builder::new().prefix("capstan-git-").tempdir().map_err(failed)?;
        let home = dir.path().join("git");
        lay_out(&home, repository).map_err(failed)?;
        let git = git.within(&repository.top).with("GIT_DIR", &home).with("GIT_WORK_TREE", &repository.top);
        let git = git.with("GIT_INDEX_FILE", dir.path().join("index")).with("GIT_ATTR_SOURCE", repository.format.empty_tree());
        let git = match objects {
            Objects::Own => git,
            Objects::Kept => git.with("GIT_OBJECT_DIRECTORY", &repository.objects),
        };
        Ok(Self { git, dir })
    }

    /// Git on it.
    #[must_use]
    pub const fn git(&self) -> &Git {
        &self.git
    }

    /// A file on it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn lay_out(home: &Path, repository: &Repository) -> io::Result<()> {
    for below in ["refs", "objects/info", "info"] {
        fs::create_dir_all(home.join(below))?;
    }
    fs::write(home.join("HEAD"), "ref: refs/heads/none\n")?;
    let config = match repository.format {
        Format::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tbare = false\n",
        Format::Sha256 => "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n",
    };
    fs::write(home.join("config"), config)?;
    let mut alternates = repository.objects.as_os_str().to_owned();
    alternates.push("\n");
    fs::write(home.join("objects/info/alternates"), alternates.as_encoded_bytes())
}
