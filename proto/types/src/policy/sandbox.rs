//! The sandbox policy of a session: what may be read and written, which network there is, and how strong the sandbox must be.
//!
//! Invariant: the workspace root comes from the workspace, never from a call's arguments, and no field of a tool call can widen a
//! policy.

use crate::path::AbsPath;
use crate::policy::{Level, Network};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The named policies, spelled as on the command line and in config. The weakest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// The system, toolchains and the workspace may be read, nothing written but private temporary files; no network but the session's
    /// own loopback.
    ReadOnly,
    /// As read-only, and the workspace may be written; no network but the session's own loopback unless granted.
    WorkspaceWrite,
    /// No sandbox at all.
    DangerFullAccess,
}

impl SandboxMode {
    /// The mode as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::WorkspaceWrite => "workspace-write",
            Self::DangerFullAccess => "danger-full-access",
        }
    }
}

impl fmt::Display for SandboxMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a sandbox mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sandbox mode; use read-only, workspace-write or danger-full-access")]
pub struct SandboxModeError(String);

impl FromStr for SandboxMode {
    type Err = SandboxModeError;

    fn from_str(text: &str) -> Result<Self, SandboxModeError> {
        [Self::ReadOnly, Self::WorkspaceWrite, Self::DangerFullAccess]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| SandboxModeError(text.to_owned()))
    }
}

/// How a policy treats one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The path may be changed.
    Write,
    /// The path may be read only.
    Read,
}

/// Names that are read-only at any depth inside writable directories, whether or not they exist yet: what runs code on the host when
/// somebody works there later, and what tells agents what they may do.
pub const PROTECTED: [&str; 5] = [".git/hooks", ".git/config", ".capstan", ".codex", ".agents"];

/// What one session may touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxPolicy {
    /// The named policy this was made from.
    pub mode: SandboxMode,
    /// Directories that may be written, the workspace among them. Meaningless without a sandbox.
    pub writable: Vec<AbsPath>,
    /// Files and directories that may be read besides the system's own and the writable ones: the workspace where it may not be
    /// written, toolchains, data. Below [`Level::Namespaces`] everything that is not hidden can be read.
    #[serde(default)]
    pub readable: Vec<AbsPath>,
    /// Paths whose content may not be read or written, even below a readable or writable one.
    pub hidden: Vec<AbsPath>,
    /// Relative paths, read-only wherever they occur below a writable directory, besides [`PROTECTED`].
    #[serde(default)]
    pub protected: Vec<String>,
    /// Whether nothing is read-only by its name: for the node's own programs that bring a workspace back with all that it held. It is not on
    /// the wire, and no admitted policy has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unprotected: bool,
    /// Which network there is.
    pub network: Network,
    /// The least that must be in force, or the session is refused.
    #[serde(default)]
    pub level: Level,
}

impl SandboxPolicy {
    const fn new(mode: SandboxMode, writable: Vec<AbsPath>, network: Network, level: Level) -> Self {
        Self {
            mode,
            writable,
            readable: Vec::new(),
            hidden: Vec::new(),
            protected: Vec::new(),
            unprotected: false,
            network,
            level,
        }
    }

    /// Nothing writable but temporary files, no network but loopback.
    #[must_use]
    pub const fn read_only() -> Self {
        Self::new(SandboxMode::ReadOnly, Vec::new(), Network::Loopback, Level::Landlock)
    }

    /// The given directories writable, no network but loopback.
    #[must_use]
    pub const fn workspace_write(writable: Vec<AbsPath>) -> Self {
        Self::new(SandboxMode::WorkspaceWrite, writable, Network::Loopback, Level::Landlock)
    }

    /// No sandbox.
    #[must_use]
    pub const fn full_access() -> Self {
        Self::new(SandboxMode::DangerFullAccess, Vec::new(), Network::Full, Level::None)
    }

    /// What this policy lets a session do to `path`, by its name alone. The runner decides by the file itself.
    #[must_use]
    pub fn access(&self, path: &AbsPath) -> Access {
        let within_root = || self.writable.iter().any(|root| path.is_within(root));
        match self.mode {
            SandboxMode::DangerFullAccess => Access::Write,
            SandboxMode::WorkspaceWrite if within_root() => Access::Write,
            SandboxMode::WorkspaceWrite | SandboxMode::ReadOnly => Access::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AbsPath {
        AbsPath::new(text).unwrap()
    }

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in [SandboxMode::ReadOnly, SandboxMode::WorkspaceWrite, SandboxMode::DangerFullAccess] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
        assert!("none".parse::<SandboxMode>().is_err());
    }

    #[test]
    fn only_a_writable_root_of_workspace_write_may_be_changed() {
        let policy = SandboxPolicy::workspace_write(vec![path("/w")]);
        assert_eq!(policy.access(&path("/w/src/lib.rs")), Access::Write);
        assert_eq!(policy.access(&path("/w/../etc/passwd")), Access::Read);
        let read_only = SandboxPolicy { mode: SandboxMode::ReadOnly, ..policy };
        assert_eq!(read_only.access(&path("/w/src/lib.rs")), Access::Read);
        assert_eq!(SandboxPolicy::full_access().access(&path("/etc")), Access::Write);
    }
}
