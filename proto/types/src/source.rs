//! Where the files of a workspace come from, and what a node says while it makes one.

mod credential;
mod git_url;
mod revision;

pub use credential::{GitCredential, NotACredential};
pub use git_url::{GitUrl, GitUrlError, Transport};
pub use revision::{Revision, RevisionError};

use crate::id::ThreadId;
use crate::policy::SandboxPolicy;
use crate::saved::CheckpointName;
use crate::session::{Authority, WorkspaceFacts};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// What a workspace is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceSource {
    /// Nothing: an empty directory.
    Empty,
    /// A revision of a repository.
    Git(GitSource),
    /// A checkpoint that travels.
    Saved(SavedSource),
}

/// A revision of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitSource {
    /// The repository.
    pub url: GitUrl,
    /// Which revision; `None` is the one that the repository's HEAD names.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// How much of its history.
    #[serde(default)]
    pub history: History,
    /// Whether its submodules are checked out as well, and theirs.
    #[serde(default)]
    pub submodules: bool,
    /// Whether files that the repository keeps in LFS are brought, and not their pointers.
    #[serde(default)]
    pub lfs: bool,
}

/// How much of a repository's history a workspace has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// All of it.
    #[default]
    Whole,
    /// All commits and trees, and of the files' contents only those of the revision.
    Blobless,
    /// This many commits back from the revision.
    Shallow(NonZeroU32),
}

/// A checkpoint of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSource {
    /// Whose it is.
    pub thread: ThreadId,
    /// Its name among those of the thread.
    pub name: CheckpointName,
}

impl WorkspaceSource {
    /// The kind in one word: empty, git or saved.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Git(_) => "git",
            Self::Saved(_) => "saved",
        }
    }
}

impl GitSource {
    /// The whole history of a repository, at its HEAD.
    #[must_use]
    pub const fn whole(url: GitUrl) -> Self {
        Self { url, revision: None, history: History::Whole, submodules: false, lfs: false }
    }
}

impl fmt::Display for WorkspaceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty directory"),
            Self::Git(GitSource { url, revision: Some(revision), .. }) => write!(f, "{revision} of {url}"),
            Self::Git(GitSource { url, revision: None, .. }) => write!(f, "{url}"),
            Self::Saved(saved) => write!(f, "checkpoint {} of thread {}", saved.name, saved.thread),
        }
    }
}

/// A request to make a workspace. Asked again for the same thread, a node gives the one that it has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeWorkspace {
    /// Who asks, and for which thread.
    pub authority: Authority,
    /// Of what.
    pub source: WorkspaceSource,
    /// The policy of the thread's sessions, where it is known: what the programs that make the workspace may not see either.
    pub policy: Option<SandboxPolicy>,
    /// The most bytes that it may take; `None` is what the node allows.
    pub quota_bytes: Option<u64>,
    /// What repositories may be asked with.
    pub credentials: Vec<GitCredential>,
}

/// What a node says while it makes a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakeEvent {
    /// What it is doing now.
    Progress(MakeProgress),
    /// It is there; nothing follows.
    Made(Box<WorkspaceMade>),
}

/// How far a node has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeProgress {
    /// In words, on one line, for people.
    pub said: String,
    /// Of this step, in hundredths, where that is known.
    pub percent: Option<u8>,
}

/// A workspace that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceMade {
    /// Its directory, and what it is.
    pub facts: WorkspaceFacts,
    /// How its files came there, in one word, such as `overlay`, `reflink`, `worktree`, `copy` or `empty`.
    pub how: String,
    /// The commit that was checked out.
    pub revision: Option<String>,
    /// How many bytes were fetched for it.
    pub fetched_bytes: u64,
    /// Whether the node had a mirror of the repository already.
    pub reused_mirror: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_stored_in_words_and_read_back() {
        let git = WorkspaceSource::Git(GitSource {
            revision: Some("v1".parse().unwrap()),
            history: History::Shallow(NonZeroU32::MIN),
            ..GitSource::whole("https://h.example/r.git".parse().unwrap())
        });
        let text = serde_json::to_string(&git).unwrap();
        let expected =
            r#"{"git":{"url":"https://h.example/r.git","revision":"v1","history":{"shallow":1},"submodules":false,"lfs":false}}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<WorkspaceSource>(&text).unwrap(), git);
        assert_eq!(serde_json::from_str::<WorkspaceSource>("\"empty\"").unwrap(), WorkspaceSource::Empty);
        let plain: WorkspaceSource = serde_json::from_str(r#"{"git":{"url":"/srv/r"}}"#).unwrap();
        assert_eq!(plain.to_string(), "file:///srv/r");
    }
}
