//! What is asked of the `files` verb. Every wish is bounded here, so that whoever holds a query may trust its numbers.

use super::path::FilePath;
use crate::path::AbsPath;
use serde::{Deserialize, Serialize};

/// The most bytes of one [`ReadQuery`].
pub const MOST_READ: u64 = 4 << 20;
/// The largest file of which a hash is told, in bytes.
pub const MOST_HASHED: u64 = 256 << 20;
/// The most bytes that are written at once.
pub const MOST_WRITTEN: u64 = 8 << 20;
/// The deepest that directories are gone into.
pub const MOST_DEPTH: u16 = 128;
/// The most names of one list.
pub const MOST_LISTED: u64 = 10_000_000;
/// The most hits of one search.
pub const MOST_HITS: u64 = 100_000;
/// The most bytes that the hits of one search may have.
pub const MOST_HIT_BYTES: u64 = 16 << 20;
/// The longest that one search may take, in milliseconds.
pub const MOST_SEARCHING_MS: u64 = 120_000;
/// The longest pattern, in bytes.
pub const MOST_PATTERN: usize = 4096;
/// The most lines around a hit, before it and behind it.
pub const MOST_AROUND: u16 = 50;

/// One JSON document on the verb's standard input, on a line of its own. What is to be written follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesDocument {
    /// The workspace's top. Nothing above it is reached.
    pub top: AbsPath,
    /// What is not there for whoever asks, nor what is below it. The sandbox keeps its content from them; this keeps its name.
    pub hidden: Vec<FilePath>,
    /// What is wanted.
    pub query: FilesQuery,
}

/// What is wanted of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilesQuery {
    /// A part of a file.
    Read(ReadQuery),
    /// The names below a directory.
    List(ListQuery),
    /// Lines that match a pattern.
    Search(SearchQuery),
    /// A file with another content.
    Write(WriteQuery),
    /// What changes from now on.
    Watch(WatchQuery),
}

impl FilesQuery {
    /// Whether it changes files.
    #[must_use]
    pub const fn writes(&self) -> bool {
        matches!(self, Self::Write(_))
    }
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadQuery {
    /// Which. Links are followed that stay in the workspace.
    pub path: FilePath,
    /// The first byte wanted.
    pub offset: u64,
    /// How many bytes; at most [`MOST_READ`].
    pub length: u64,
    /// Whether the SHA-256 of the whole file is told, where it has at most [`MOST_HASHED`] bytes.
    pub hash: bool,
}

/// The names below a directory. No link is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Which. Links on the way to it are followed that stay in the workspace.
    pub path: FilePath,
    /// How deep: 1 is what is in the directory itself.
    pub depth: u16,
    /// What is left out.
    pub leave: LeaveOut,
    /// In which order.
    pub order: Order,
    /// The most names.
    pub limit: u64,
    /// Only what comes behind this one, in a sorted list. It need not exist any more.
    pub after: Option<FilePath>,
}

/// What lists, searches and watches leave out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaveOut {
    /// What the files `.gitignore` and `.git/info/exclude` name, and whatever is called `.git`.
    #[default]
    Ignored,
    /// Nothing.
    Nothing,
}

/// In which order names come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By their bytes; what is in a directory right behind it.
    #[default]
    Sorted,
    /// As the file system has them, which is quicker in huge directories.
    AsFound,
}

/// Lines that match a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchQuery {
    /// In which file, or below which directory.
    pub path: FilePath,
    /// A regular expression in the syntax of Rust's `regex`, at most [`MOST_PATTERN`] bytes.
    pub pattern: String,
    /// Whether the pattern is a text to be found as it is.
    pub fixed: bool,
    /// Whether upper case and lower case are one.
    pub case: Case,
    /// Only files that one of these globs matches, as in `.gitignore`; with a `!` in front, those that it does not. None: all.
    pub globs: Vec<String>,
    /// What is left out.
    pub leave: LeaveOut,
    /// What is told of a file in which something is found.
    pub tell: Tell,
    /// How many lines before a hit are told.
    pub before: u16,
    /// How many lines behind a hit are told.
    pub after: u16,
    /// The most hits: lines, or files where files are told.
    pub limit: u64,
    /// Files that are longer are passed over, and counted; in bytes.
    pub file_bytes: u64,
    /// How long it may take, in milliseconds.
    pub time_ms: u64,
}

/// Whether upper case and lower case are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// They differ.
    #[default]
    Sensitive,
    /// They are one.
    Insensitive,
    /// They are one unless the pattern has a letter in upper case.
    Smart,
}

/// What is told of a file in which something is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tell {
    /// The lines.
    #[default]
    Lines,
    /// Its name.
    Files,
    /// How many lines.
    Counts,
}

/// A file with another content, which lies there whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteQuery {
    /// Which. Links on the way to it are followed that stay in the workspace; it must be none itself.
    pub path: FilePath,
    /// What must be there before.
    pub expect: Expect,
    /// The permission bits; `None` keeps those that are there, or gives a new file those of any new file.
    pub mode: Option<u16>,
    /// Whether directories above it are made that are missing.
    pub parents: bool,
    /// How many bytes follow the document; at most [`MOST_WRITTEN`].
    pub length: u64,
}

/// What must be there before something is written, so that nothing is written over that nobody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// Nothing.
    Absent,
    /// A file with this SHA-256, as hexadecimal digits.
    Hash(String),
    /// A file or nothing, whatever is in it.
    Anything,
}

/// What changes from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchQuery {
    /// Below which directory.
    pub path: FilePath,
    /// What is left out.
    pub leave: LeaveOut,
    /// How long changes are gathered before they are told, in milliseconds.
    pub settle_ms: u64,
    /// The most directories that are watched. What is below others is not told, and their number is.
    pub directories: u64,
}

impl WatchQuery {
    /// The most directories that are ever watched at once.
    pub const MOST: u64 = 65_536;
    /// How many are, where nobody says.
    pub const USUAL: u64 = 8192;
    /// How long changes are gathered, where nobody says.
    pub const SETTLE_MS: u64 = 100;
    /// The longest that they may be.
    pub const MOST_SETTLE_MS: u64 = 10_000;
}
