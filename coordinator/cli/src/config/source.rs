//! Where a value of the configuration came from, for every message that has to say so.

use std::fmt;
use std::path::PathBuf;

/// Where a layer came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A profile's table in a file.
    Profile(PathBuf, String),
    /// A `-c` argument, as written.
    Argument(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Profile(path, name) => write!(f, "{} [profiles.{name}]", path.display()),
            // The value may be secret; the key that follows in every message tells which argument it was.
            Self::Argument(_) => write!(f, "-c"),
        }
    }
}
