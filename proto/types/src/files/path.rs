//! Names of files in a workspace: any bytes that the kernel takes, from the workspace's top.

use super::raw_text::RawText;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Where a file is, from the top of a workspace: steps with a slash between them, none of which goes up. Empty is the top itself. It need not be
/// UTF-8. It says nothing of symbolic links: those the kernel follows, or does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawText", into = "RawText")]
pub struct FilePath(Vec<u8>);

/// Bytes that cannot name a file of a workspace. Each is a sentence for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAFilePath {
    /// It begins at the root.
    #[error("the path begins with `/`; name the file from the workspace's top")]
    Absolute,
    /// It goes up.
    #[error("the path has a `..`; name the file from the workspace's top, without going up")]
    Up,
    /// The kernel would take it for its end.
    #[error("the path has a NUL byte; no file is called so")]
    Nul,
    /// The kernel takes none as long.
    #[error("the path is longer than {} bytes", FilePath::MOST)]
    Long,
}

impl FilePath {
    /// The longest, in bytes.
    pub const MOST: usize = 4095;

    /// Reads a path. Empty steps and `.` are folded.
    ///
    /// # Errors
    /// One that no file of a workspace can have.
    pub fn new(bytes: &[u8]) -> Result<Self, NotAFilePath> {
        let steps: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').filter(|step| !matches!(*step, b"" | b".")).collect();
        match bytes {
            _ if bytes.len() > Self::MOST => Err(NotAFilePath::Long),
            _ if bytes.contains(&0) => Err(NotAFilePath::Nul),
            [b'/', ..] => Err(NotAFilePath::Absolute),
            _ if steps.contains(&&b".."[..]) => Err(NotAFilePath::Up),
            _ => Ok(Self(steps.join(&b'/'))),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is the workspace's top.
    #[must_use]
    pub const fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// Its steps, from the top.
    pub fn steps(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|step| !step.is_empty())
    }

    /// What `name`, a single step, is called in this directory. Longer than the longest it may be: then it is what is told of a file, and not
    /// what a file is asked for by.
    #[must_use]
    pub fn within(&self, name: &[u8]) -> Self {
        if self.is_top() { Self(name.to_vec()) } else { Self([&self.0[..], name].join(&b'/')) }
    }

    /// For people: what is no text is replaced. It may hold what a terminal obeys.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_top() { "." } else { "" })?;
        formatter.write_str(&self.shown())
    }
}

impl TryFrom<RawText> for FilePath {
    type Error = NotAFilePath;

    fn try_from(text: RawText) -> Result<Self, NotAFilePath> {
        Self::new(&text.0)
    }
}

impl From<FilePath> for RawText {
    fn from(path: FilePath) -> Self {
        Self(path.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> FilePath {
        FilePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_path_is_folded_and_one_that_leads_out_is_none() {
        assert_eq!(path("./a//b/."), path("a/b"));
        assert!(path(".").is_top() && path("").is_top());
        let bad = |text: &str| FilePath::new(text.as_bytes()).unwrap_err();
        assert_eq!((bad("/a"), bad("a/../b"), bad("a\0")), (NotAFilePath::Absolute, NotAFilePath::Up, NotAFilePath::Nul));
        assert_eq!(bad(&"a".repeat(5000)), NotAFilePath::Long);
        assert_eq!(path("a").within(b"b").as_bytes(), b"a/b");
        assert_eq!(path("").within(b"b").as_bytes(), b"b");
    }

    proptest! {
        #[test]
        fn whatever_a_file_is_called_its_name_survives_json(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(path) = FilePath::new(&bytes) {
                prop_assert!(path.steps().all(|step| step != b".." && step != b"."));
                let text = serde_json::to_string(&path).unwrap();
                prop_assert_eq!(serde_json::from_str::<FilePath>(&text).unwrap(), path);
            }
        }
    }
}
