//! What the `files` verb answers.

use super::path::FilePath;
use super::raw_text::RawText;
use crate::tree_document::Skipped;
use serde::{Deserialize, Serialize};

/// A part of an answer. The last one is [`FilesReport::Done`], [`FilesReport::Written`] or [`FilesReport::Refused`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilesReport {
    /// It was not done.
    Refused(FilesRefusal),
    /// The file that is read. Its bytes follow as data.
    File(FileFacts),
    /// Names of a list.
    Entries(Vec<FileEntry>),
    /// What a search has found.
    Hits(Vec<SearchHit>),
    /// Everything that changes from here on is told.
    Watching(Watching),
    /// What has changed.
    Changes(Changes),
    /// The file lies there.
    Written(Written),
    /// That was all.
    Done(Done),
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesRefusal {
    /// In which way.
    pub why: Why,
    /// A sentence for people and models, which says what to do where there is something to do.
    pub said: String,
}

/// In which way something could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// There is no such file.
    Missing,
    /// It is something else: a directory, a pipe, a device.
    Kind,
    /// A link leads out of the workspace, or in a circle.
    Outside,
    /// It may not be read or written.
    Denied,
    /// What is there is not what was expected.
    Changed,
    /// It is more than can be done.
    TooMuch,
    /// The question makes no sense.
    Question,
    /// The host could not do it.
    Host,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

/// What is known of a file besides its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes.
    pub size: u64,
    /// How many bytes it takes on the disk: fewer than its length where it has holes.
    pub allocated: u64,
    /// Its permission bits.
    pub mode: u16,
    /// When it was changed last, in milliseconds since 1970.
    pub modified_ms: i64,
    /// The SHA-256 of its content as hexadecimal digits, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// A name in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// From the workspace's top.
    pub path: FilePath,
    /// What it is.
    pub facts: FileFacts,
    /// Where a link leads, as it is written in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<RawText>,
}

/// What a search has found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The file, from the workspace's top.
    pub path: FilePath,
    /// The line, from 1; 0 where files or counts are told.
    pub line: u64,
    /// The line's bytes without its end, or their beginning.
    pub text: RawText,
    /// How many bytes of the line are left out.
    pub cut: u64,
    /// Whether it is a line around a hit.
    pub around: bool,
    /// How many lines of the file match, where that is told.
    pub count: u64,
}

/// How much is watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watching {
    /// How many directories.
    pub directories: u64,
    /// How many are not, because there are too many.
    pub unwatched: u64,
}

/// What has changed, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The names, sorted.
    pub changes: Vec<PathChange>,
    /// More has changed than could be kept: whoever has a list makes a new one.
    pub overflow: bool,
    /// How many directories are not watched, because there are too many.
    pub unwatched: u64,
}

/// A name that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathChange {
    /// From the workspace's top.
    pub path: FilePath,
    /// In which way.
    pub change: Change,
}

/// In which way a name has changed, from before the first of several changes to behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Made,
    /// Its content or its permissions are others.
    Altered,
    /// It is gone.
    Removed,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Whether there was none before.
    pub created: bool,
    /// What it is now.
    pub facts: FileFacts,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// Why there is more than was told; `None`: that was all.
    pub stopped: Option<Stopped>,
    /// How many names, or hits, were told.
    pub told: u64,
    /// How many files were searched.
    pub searched: u64,
    /// How many files were passed over because they are no text, or too long.
    pub passed_over: u64,
    /// What could not be looked at.
    pub skipped: Skipped,
}

/// Why there is more than was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// As many as were asked for.
    Limit,
    /// The answer would be too long.
    Bytes,
    /// It would take too long.
    Time,
    /// Directories go deeper.
    Depth,
}
