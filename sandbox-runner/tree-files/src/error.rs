//! What goes wrong with states.

use crate::object::ObjectId;
use std::io;
use std::path::{Path, PathBuf};

/// Why a state could not be taken, read or put back. Each is a sentence for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file or directory outside of the tree, or the tree's top, cannot be used.
    #[error("`{path}` cannot be {what}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried: `read`, `written`, …
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// There is more in the tree than may be kept.
    #[error("there are more than {most} {what} in `{path}`; leave some out, or raise the bound")]
    TooMuch {
        /// The tree's top.
        path: PathBuf,
        /// `files`, or `bytes that are new`.
        what: &'static str,
        /// The bound.
        most: u64,
    },
    /// A pack holds something else than it says.
    #[error("the pack `{path}` is damaged: {reason}; restore it from another copy, or take the state again")]
    Damaged {
        /// Which pack.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No pack at hand holds it.
    #[error("the object {0} is in none of the packs; fetch the packs that the state names")]
    Missing(ObjectId),
    /// An object is not what it is taken for.
    #[error("the object {id} is not a directory: {reason}")]
    NotATree {
        /// Which.
        id: ObjectId,
        /// What is wrong.
        reason: String,
    },
}

impl TreeError {
    pub(crate) fn file(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, what, error }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}
