//! Small files of a workspace, as a node reads them for a coordinator.

use crate::path::AbsPath;
use crate::policy::SandboxPolicy;
use crate::session::Authority;

/// The most paths in one request.
pub const MOST_PATHS: usize = 512;

/// The most bytes of one file, and of all files of a request together: 8 MiB.
pub const MOST_BYTES: u64 = 8 << 20;

/// Files to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFiles {
    /// Who asks.
    pub authority: Authority,
    /// Where the reading program works.
    pub cwd: AbsPath,
    /// The files, at most [`MOST_PATHS`].
    pub paths: Vec<AbsPath>,
    /// Where they must really lie, with links resolved; `None` leaves that to the policy.
    pub root: Option<AbsPath>,
    /// The most bytes of one file, at most [`MOST_BYTES`].
    pub max_bytes: u64,
    /// What may be read. Nothing is written.
    pub policy: SandboxPolicy,
    /// The stamp of an earlier answer to the same request.
    pub seen: Option<String>,
}

/// What a node says of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesRead {
    /// Nothing changed since the stamp that was sent.
    Unchanged,
    /// As they are now.
    Now {
        /// Names the state of the files, to be sent with the next request; `None` where the node cannot tell.
        stamp: Option<String>,
        /// One for each path, in order.
        files: Vec<FileRead>,
    },
}

/// What came of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRead {
    /// There is none.
    Missing,
    /// It is there and cannot be used.
    Refused {
        /// Why, for people and models: a clause that follows the file's name.
        reason: String,
    },
    /// Its beginning, or all of it.
    Content {
        /// The bytes.
        bytes: Vec<u8>,
        /// The size of the whole file, in bytes.
        size: u64,
    },
}
