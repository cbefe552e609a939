//! How much a node has in use, as it tells operators.

use std::collections::BTreeMap;
use std::fmt;

/// Something of which a node has so much and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Memory that programs can still take, in bytes.
    Memory,
    /// Space of the file system that holds the node's state, in bytes.
    Disk,
    /// Space of the file system that holds a session's working directory, in bytes.
    WorkspaceDisk,
    /// Files that the file system with the node's state can still hold.
    Inodes,
    /// Descriptors of the node's own process.
    Descriptors,
    /// Processes and threads of the host, or of the group that the node is in.
    Processes,
    /// Terminals of the host.
    Terminals,
}

/// What there is of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What is not in use.
    pub free: u64,
    /// What there is at all.
    pub total: u64,
}

/// What a node has in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeLoad {
    /// Sessions whose program runs.
    pub running: u32,
    /// Sessions that are being started.
    pub starting: u32,
    /// Sessions that have ended, and have not been released.
    pub kept: u32,
    /// Threads of the node's process.
    pub threads: u32,
    /// Tasks of the node's runtime.
    pub tasks: u32,
    /// What there is of each resource that could be read.
    pub rooms: BTreeMap<Resource, Room>,
    /// Of what there is too little to start a session now.
    pub short: Vec<Resource>,
    /// Starts that were refused for each reason since the node started.
    pub refused: BTreeMap<Resource, u64>,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Memory, Self::Disk, Self::WorkspaceDisk, Self::Inodes, Self::Descriptors, Self::Processes, Self::Terminals];

    /// Its name on the wire and in configuration files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::WorkspaceDisk => "workspace-disk",
            Self::Inodes => "inodes",
            Self::Descriptors => "descriptors",
            Self::Processes => "processes",
            Self::Terminals => "terminals",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.name() == name)
    }

    /// Whether it is counted in bytes.
    #[must_use]
    pub const fn in_bytes(self) -> bool {
        matches!(self, Self::Memory | Self::Disk | Self::WorkspaceDisk)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
