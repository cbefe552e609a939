//! How a node is, in the words of Kubernetes where it has them.

use crate::time::UnixMillis;
use std::fmt;
use std::str::FromStr;

/// One thing that is or is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub kind: ConditionKind,
    /// Whether it is so.
    pub holds: bool,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence; may be empty.
    pub message: String,
    /// Since when, as far as the coordinator has seen it.
    pub since: UnixMillis,
}

/// What may be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionKind {
    /// It is there and can be given work, orders aside.
    Ready,
    /// Nothing new is placed there.
    Cordoned,
    /// What runs there is let end.
    Draining,
    /// Memory is short.
    MemoryPressure,
    /// A disk is short of room, or of files.
    DiskPressure,
    /// There can be few processes more.
    ProcessPressure,
    /// The node has few descriptors left.
    DescriptorPressure,
    /// The host has few terminals left.
    TerminalPressure,
    /// It vanished from the registry together with many others.
    Suspect,
    /// It does not answer this coordinator.
    Unreachable,
    /// It speaks another protocol than this coordinator.
    VersionSkew,
    /// Its clock is another than this coordinator's.
    ClockSkew,
}

/// A word that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no condition that this release knows")]
pub struct UnknownCondition(String);

impl ConditionKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Ready,
        Self::Cordoned,
        Self::Draining,
        Self::MemoryPressure,
        Self::DiskPressure,
        Self::ProcessPressure,
        Self::DescriptorPressure,
        Self::TerminalPressure,
        Self::Suspect,
        Self::Unreachable,
        Self::VersionSkew,
        Self::ClockSkew,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Cordoned => "Cordoned",
            Self::Draining => "Draining",
            Self::MemoryPressure => "MemoryPressure",
            Self::DiskPressure => "DiskPressure",
            Self::ProcessPressure => "ProcessPressure",
            Self::DescriptorPressure => "DescriptorPressure",
            Self::TerminalPressure => "TerminalPressure",
            Self::Suspect => "Suspect",
            Self::Unreachable => "Unreachable",
            Self::VersionSkew => "VersionSkew",
            Self::ClockSkew => "ClockSkew",
        }
    }
}

impl fmt::Display for ConditionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ConditionKind {
    type Err = UnknownCondition;

    fn from_str(text: &str) -> Result<Self, UnknownCondition> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownCondition(text.to_owned()))
    }
}
