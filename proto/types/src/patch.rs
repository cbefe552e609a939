//! Patches: the grammar of `apply_patch`, and its effect on text. No file is touched here.
//!
//! A patch is written by a model, from memory of a file it has read, so reading is lenient where only one thing can be meant, and
//! refuses wherever two could be. Every error is a text for the model: what was not found, where, and what to send instead.
//!
//! ```text
//! *** Begin Patch
//! *** Add File: path            then `+` lines: the whole content
//! *** Delete File: path
//! *** Update File: path         then perhaps `*** Move to: path`, then chunks:
//! @@ a line above the chunk     (or `@@` alone; the first may be left out)
//!  a line that stays
//! -a line that goes
//! +a line that comes
//! *** End of File               the chunk is at the file's end
//! *** End Patch
//! ```

mod apply;
mod error;
mod lines;
mod pairing;
mod parse;
mod place;
mod print;
mod seek;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use error::PatchError;
pub use parse::parse;

use crate::item::{FileChange, FileChangeKind};

/// A parsed patch. It names at least one file, and no file twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What is done to each file, in the order of the patch.
    pub hunks: Vec<FileHunk>,
}

/// What a patch does to one file. Paths stand as the patch has them, relative or absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileHunk {
    /// Makes a new file.
    Add {
        /// The file.
        path: String,
        /// Its whole content.
        content: String,
    },
    /// Removes a file.
    Delete {
        /// The file.
        path: String,
    },
    /// Changes a file, moves it, or both.
    Update {
        /// The file, before a move.
        path: String,
        /// Where it is moved to.
        moved_to: Option<String>,
        /// The changes, from the top of the file to its bottom. Empty for a mere move.
        chunks: Vec<Chunk>,
    },
}

/// One change inside a file: `old` is replaced by `new`. Lines that stay are in both.
///
/// A chunk with a `context` and neither old nor new lines only says where to look for the next chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// A line above the change: what stood behind `@@`.
    pub context: Option<String>,
    /// The lines as they are, without line ends.
    pub old: Vec<String>,
    /// The lines as they shall be, without line ends.
    pub new: Vec<String>,
    /// Whether the change is at the file's end.
    pub at_end_of_file: bool,
}

impl FileHunk {
    /// The file, before a move.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Delete { path } | Self::Update { path, .. } => path,
        }
    }

    /// Where the file is moved to.
    #[must_use]
    pub fn moved_to(&self) -> Option<&str> {
        match self {
            Self::Update { moved_to, .. } => moved_to.as_deref(),
            Self::Add { .. } | Self::Delete { .. } => None,
        }
    }

    /// Every path that is written or removed.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path()).chain(self.moved_to())
    }

    /// What a person is told of it.
    #[must_use]
    pub fn change(&self) -> FileChange {
        let kind = match self {
            Self::Add { .. } => FileChangeKind::Add,
            Self::Delete { .. } => FileChangeKind::Delete,
            Self::Update { moved_to, .. } => FileChangeKind::Update { moved_to: moved_to.clone() },
        };
        FileChange { path: self.path().to_owned(), kind }
    }
}

impl Chunk {
    /// Whether the chunk only says where to look for the next one.
    #[must_use]
    pub fn is_position_only(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }
}
