//! Where a coordinator keeps what must outlive it: threads, and the states of their workspaces.

use capstan_blobs::Location;
use capstan_coordinator::{CheckpointRules, GitCredentials, StoreLocation};
use capstan_types::path::AbsPath;

/// What a coordinator keeps, and where.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Threads.
    pub store: StoreLocation,
    /// Checkpoints of workspaces, and what clients upload. `None` keeps none.
    pub blobs: Option<Location>,
    /// Which of them are taken, and how long they are kept.
    pub checkpoints: CheckpointRules,
    /// With what nodes may ask for repositories.
    pub git: GitCredentials,
}

impl Kept {
    /// The same place for what is uploaded, with threads that nobody finds again, and so without checkpoints.
    #[must_use]
    pub fn ephemeral(self) -> Self {
        let checkpoints = CheckpointRules { keep: 0, ..self.checkpoints };
        Self { store: StoreLocation::Ephemeral, checkpoints, ..self }
    }

    /// Whether its threads end with it.
    #[must_use]
    pub const fn is_ephemeral(&self) -> bool {
        matches!(self.store, StoreLocation::Ephemeral)
    }
}

impl From<StoreLocation> for Kept {
    /// Threads alone.
    fn from(store: StoreLocation) -> Self {
        Self { store, blobs: None, checkpoints: CheckpointRules::default(), git: GitCredentials::default() }
    }
}

/// What sessions of a node may not see of its store for blobs: the states of other threads' workspaces.
#[must_use]
pub fn place_to_hide(blobs: &Location) -> Option<AbsPath> {
    match blobs {
        Location::Directory(path) => AbsPath::new(path).ok(),
        Location::Bucket { .. } => None,
    }
}
