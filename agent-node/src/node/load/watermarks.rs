//! How much of each resource a node keeps free.

use capstan_types::load::{Resource, Room};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest share of the whole that is kept: a small host must not be shut by numbers that were meant for a large one.
const LARGEST_SHARE: u64 = 4;

/// What a node keeps free of each resource: with less, it starts no session. It starts again when there is half as much more, so that it
/// does not change its mind at every breath. Never more than a quarter of the whole is kept; zero keeps nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// Memory, in bytes.
    pub memory: u64,
    /// Space where the node's state lies, in bytes.
    pub disk: u64,
    /// Space of the disk that holds a session's working directory, in bytes. Little: whoever has filled a disk needs a session to empty it.
    pub workspace_disk: u64,
    /// Files where the node's state lies.
    pub inodes: u64,
    /// Descriptors of the node. A running session takes about four.
    pub descriptors: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Terminals.
    pub terminals: u64,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            disk: 256 << 20,
            workspace_disk: 16 << 20,
            inodes: 4096,
            descriptors: 128,
            processes: 512,
            terminals: 32,
        }
    }
}

impl Watermarks {
    /// With less than this free, nothing is started.
    pub(super) fn refuse_below(&self, resource: Resource, room: Room) -> u64 {
        self.kept(resource).min(room.total / LARGEST_SHARE)
    }

    /// With this free, starts go on.
    pub(super) fn admit_from(&self, resource: Resource, room: Room) -> u64 {
        let mark = self.refuse_below(resource, room);
        mark + mark / 2
    }

    const fn kept(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Memory => self.memory,
            Resource::Disk => self.disk,
            Resource::WorkspaceDisk => self.workspace_disk,
            Resource::Inodes => self.inodes,
            Resource::Descriptors => self.descriptors,
            Resource::Processes => self.processes,
            Resource::Terminals => self.terminals,
        }
    }
}

/// What a session is taken to need until it can be measured.
pub(super) const fn cost(resource: Resource) -> u64 {
    match resource {
        Resource::Memory => 1 << 20,
        Resource::Disk | Resource::WorkspaceDisk => 64 << 10,
        Resource::Inodes => 8,
        Resource::Descriptors | Resource::Processes => 4,
        Resource::Terminals => 1,
    }
}

/// The marks of a node that runs, which may be changed. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Marks(Arc<Mutex<Watermarks>>);

impl Marks {
    pub(super) fn new(marks: Watermarks) -> Self {
        Self(Arc::new(Mutex::new(marks)))
    }

    pub(super) fn now(&self) -> Watermarks {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, marks: Watermarks) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = marks;
    }
}
