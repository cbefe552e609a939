//! How strong a sandbox is, as one word.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How much stands between a session and its host. Each level holds all that the ones before it hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing: danger-full-access.
    None,
    /// Landlock, seccomp, no capabilities, resource limits. The file system and the processes of the host can be seen.
    #[default]
    Landlock,
    /// Also namespaces of its own: an allow-listed root, private temporary files and devices, own processes, own network.
    Namespaces,
    /// Also a user of its own, and limits on the whole tree by cgroup.
    Full,
}

impl Level {
    /// All levels, weakest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Landlock, Self::Namespaces, Self::Full];

    /// The level as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Landlock => "landlock",
            Self::Namespaces => "namespaces",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sandbox level; use landlock, namespaces or full")]
pub struct LevelError(String);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| LevelError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_they_are_written_and_grow() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
        assert!(Level::ALL.is_sorted());
        assert!("strong".parse::<Level>().unwrap_err().to_string().contains("use landlock"));
    }
}
