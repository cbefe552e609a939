//! Absolute paths without `.`, `..` or NUL, so that a prefix check means what it says.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// A text that cannot be an absolute path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path does not start at `/`.
    #[error("`{0}` is not an absolute path; start it with `/`")]
    Relative(String),
    /// The path holds a NUL byte, which the kernel would take for its end.
    #[error("a path must not contain a NUL byte")]
    Nul,
    /// The path is not UTF-8, which the wire and the store require.
    #[error("the path `{0}` is not UTF-8; rename it, or work from a directory above it")]
    NotUtf8(String),
}

/// An absolute path in lexical normal form. It says nothing of symbolic links: only the host that holds the files can resolve those.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AbsPath(String);

impl AbsPath {
    /// Reads an absolute path, folding `.`, `..` and repeated slashes. `..` at the root stays at the root, as in the kernel.
    ///
    /// # Errors
    /// A path that is relative, holds a NUL, or is not UTF-8.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let text = path.to_str().ok_or_else(|| PathError::NotUtf8(path.to_string_lossy().into_owned()))?;
        if text.contains('\0') {
            return Err(PathError::Nul);
        }
        if !path.is_absolute() {
            return Err(PathError::Relative(text.to_owned()));
        }
        Ok(Self(fold(path)))
    }

    /// The root of all paths.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path reached from here by `path`, which may be absolute (then it stands alone) or relative.
    ///
    /// # Errors
    /// As [`AbsPath::new`].
    pub fn join(&self, path: impl AsRef<Path>) -> Result<Self, PathError> {
        Self::new(self.as_path().join(path))
    }

    /// The path as a standard path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this path is `root` or lies below it, by whole components.
    #[must_use]
    pub fn is_within(&self, root: &Self) -> bool {
        self.as_path().starts_with(root.as_path())
    }

    /// The part below `root`, or `None` when this path is not within it.
    #[must_use]
    pub fn below(&self, root: &Self) -> Option<&Path> {
        self.as_path().strip_prefix(root.as_path()).ok()
    }
}

fn fold(path: &Path) -> String {
    let mut folded = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => folded.push(name),
            Component::ParentDir => {
                folded.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    folded.to_string_lossy().into_owned()
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for AbsPath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl TryFrom<String> for AbsPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl std::str::FromStr for AbsPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<AbsPath> for String {
    fn from(path: AbsPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_folded_once_and_then_trusted() {
        let path = |text: &str| AbsPath::new(text).unwrap();
        assert_eq!(path("/a//b/./c/../d").as_str(), "/a/b/d");
        assert_eq!(path("/../..").as_str(), "/");
        assert_eq!(path("/a").join("../etc/passwd").unwrap().as_str(), "/etc/passwd");
        assert_eq!(path("/a").join("/b").unwrap().as_str(), "/b");
        assert_eq!(AbsPath::new("a/b"), Err(PathError::Relative("a/b".into())));
        assert_eq!(AbsPath::new("/a\0b"), Err(PathError::Nul));
    }

    #[test]
    fn within_counts_whole_components() {
        let path = |text: &str| AbsPath::new(text).unwrap();
        assert!(path("/desk/x").is_within(&path("/desk")));
        assert!(path("/desk").is_within(&path("/desk")));
        assert!(!path("/desktop").is_within(&path("/desk")));
        assert_eq!(path("/desk/x/y").below(&path("/desk")), Some(Path::new("x/y")));
        assert_eq!(path("/etc").below(&path("/desk")), None);
    }
}
