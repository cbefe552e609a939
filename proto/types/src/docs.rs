//! Project instructions: the files, most often called `AGENTS.md`, in which people write down how agents are to work with a project.

use serde::{Deserialize, Serialize};

/// The most bytes of all files of a project together, if the configuration does not say: 32 KiB.
pub const DEFAULT_MAX_BYTES: u32 = 32 << 10;

/// The most bytes that can be asked for: 1 MiB. Every prompt carries them.
pub const LARGEST_MAX_BYTES: u32 = 1 << 20;

/// The most names that can be looked for besides `AGENTS.md`.
pub const MOST_FALLBACK_NAMES: usize = 8;

/// Which instructions a thread reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectDocs {
    /// The user's own, which hold in every project; they come with the thread, since they lie where the user is.
    #[serde(default)]
    pub global: Option<GlobalDoc>,
    /// Names that are looked for in a directory that has no `AGENTS.md`, in this order.
    #[serde(default)]
    pub fallback_names: Vec<String>,
    /// The most bytes of all files of the project together; 0 reads none.
    pub max_bytes: u32,
}

impl Default for ProjectDocs {
    fn default() -> Self {
        Self { global: None, fallback_names: Vec::new(), max_bytes: DEFAULT_MAX_BYTES }
    }
}

/// The user's own instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalDoc {
    /// The file that they were read from, as the user knows it.
    pub source: String,
    /// What it says.
    pub text: String,
}

/// Instructions that cannot be looked for. For the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocsError(String);

impl ProjectDocs {
    /// Checks the names and the sizes.
    ///
    /// # Errors
    /// The first that cannot be used, and why.
    pub fn checked(self) -> Result<Self, DocsError> {
        let plain =
            |name: &&String| !matches!(name.as_str(), "" | "." | "..") && !name.contains(['/', '\0']) && name.len() <= 255;
        if let Some(bad) = self.fallback_names.iter().find(|name| !plain(name)) {
            return Err(DocsError(format!("`{}` is not the name of a file in a directory", bad.escape_debug())));
        }
        if self.fallback_names.len() > MOST_FALLBACK_NAMES {
            return Err(DocsError(format!(
                "there are {} fallback names; at most {MOST_FALLBACK_NAMES}",
                self.fallback_names.len()
            )));
        }
        if self.max_bytes > LARGEST_MAX_BYTES {
            return Err(DocsError(format!("{} bytes of instructions are too many; at most {LARGEST_MAX_BYTES}", self.max_bytes)));
        }
        match &self.global {
            Some(global) if global.text.len() > LARGEST_MAX_BYTES as usize => {
                Err(DocsError(format!("`{}` has more than {LARGEST_MAX_BYTES} bytes", global.source)))
            }
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_sizes_are_bounded() {
        let named = |name: &str| ProjectDocs { fallback_names: vec![name.into()], ..ProjectDocs::default() }.checked();
        assert!(named("CLAUDE.md").is_ok());
        for bad in ["", ".", "..", "a/b", "/etc/passwd", "a\0"] {
            assert!(named(bad).unwrap_err().to_string().ends_with("is not the name of a file in a directory"), "{bad:?}");
        }
        let many = ProjectDocs { fallback_names: vec!["x".into(); 9], ..ProjectDocs::default() };
        assert_eq!(many.checked().unwrap_err().to_string(), "there are 9 fallback names; at most 8");
        assert!(ProjectDocs { max_bytes: LARGEST_MAX_BYTES + 1, ..ProjectDocs::default() }.checked().is_err());
        let global = Some(GlobalDoc { source: "~/AGENTS.md".into(), text: "x".repeat(LARGEST_MAX_BYTES as usize + 1) });
        assert!(ProjectDocs { global, ..ProjectDocs::default() }.checked().is_err());
    }
}
