//! The ledger: what each workspace has reserved, and what is in use on each node.
//!
//! Invariants: reserving twice counts once, and so does giving back; what is in use is the sum of what is reserved; and processors, memory, disk and
//! custom resources are never promised twice, except by [`Reservations::hold`], for a workspace that is on its node already.

use capstan_types::id::ThreadId;
use capstan_types::resources::{Amount, Resources};
use std::collections::HashMap;
use std::sync::Arc;

/// A node's number in the view that owns the ledger.
pub type Place = u32;

/// The parts into which a session slot is divided.
pub const PARTS: u64 = 4;

/// What a thread does, as far as its slot is concerned. Threads that wait for a model take a part of a slot, so that a node is given more threads
/// than it can run at once; the node itself makes those wait that would be too many at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activity {
    /// It waits for a model or a person.
    #[default]
    Thinks,
    /// It runs a session.
    Runs,
}

impl Activity {
    /// The parts of a slot that it takes.
    #[must_use]
    pub const fn parts(self) -> u64 {
        match self {
            Self::Thinks => 1,
            Self::Runs => PARTS,
        }
    }
}

/// What is in use on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// The amounts.
    pub resources: Resources,
    /// Parts of slots.
    pub parts: u64,
    /// Workspaces.
    pub workspaces: u32,
}

/// What a node has.
#[derive(Debug, Clone, Copy)]
pub struct Capacity<'a> {
    /// The amounts.
    pub resources: &'a Resources,
    /// Slots.
    pub slots: u32,
}

/// Why a reservation was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// There is too little of something.
    #[error("too little {0} is free")]
    Short(Amount),
    /// There is no slot.
    #[error("no session slot is free")]
    Slots,
    /// The workspace is on another node.
    #[error("the workspace is reserved on another node")]
    Elsewhere,
}

/// What one workspace holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where.
    pub place: Place,
    /// How much.
    pub resources: Resources,
    /// Of which batch it is.
    pub batch: Option<Arc<str>>,
    /// What its thread does.
    pub activity: Activity,
}

/// The ledger.
#[derive(Debug, Clone, Default)]
pub struct Reservations {
    held: HashMap<ThreadId, Held>,
    in_use: Vec<InUse>,
}

const NOTHING: &InUse = &InUse { resources: Resources::NONE, parts: 0, workspaces: 0 };

impl Reservations {
    /// Reserves for a workspace, unless it has a reservation there already.
    ///
    /// # Errors
    /// There is no room, or the workspace is elsewhere; nothing changes then.
    pub fn reserve(&mut self, workspace: ThreadId, held: Held, capacity: Capacity<'_>) -> Result<(), NoRoom> {
        if let Some(before) = self.held.get(&workspace) {
            return if before.place == held.place { Ok(()) } else { Err(NoRoom::Elsewhere) };
        }
        let used = self.in_use(held.place);
        if let Some(amount) = held.resources.short(&used.resources, capacity.resources) {
            return Err(NoRoom::Short(amount));
        }
        if used.parts.saturating_add(held.activity.parts()) > u64::from(capacity.slots) * PARTS {
            return Err(NoRoom::Slots);
        }
        self.hold(workspace, held);
        Ok(())
    }

    /// Reserves for a workspace that is on its node already, whether there is room or not. What it held elsewhere is given back.
    pub fn hold(&mut self, workspace: ThreadId, held: Held) {
        if self.held.get(&workspace).is_some_and(|before| before.place == held.place) {
            return;
        }
        self.give_back(workspace);
        let place = index(held.place);
        if self.in_use.len() <= place {
            self.in_use.resize(place + 1, InUse::default());
        }
        if let Some(used) = self.in_use.get_mut(place) {
            used.resources.add(&held.resources);
            used.parts += held.activity.parts();
            used.workspaces += 1;
        }
        self.held.insert(workspace, held);
    }

    /// Gives back what a workspace held. Without effect when it held nothing.
    pub fn give_back(&mut self, workspace: ThreadId) -> Option<Held> {
        let held = self.held.remove(&workspace)?;
        if let Some(used) = self.in_use.get_mut(index(held.place)) {
            used.resources.take(&held.resources);
            used.parts = used.parts.saturating_sub(held.activity.parts());
            used.workspaces = used.workspaces.saturating_sub(1);
        }
        Some(held)
    }

    /// Takes note of what a workspace's thread does. It may take more slots than there are, since what runs is on the node already.
    pub fn set_activity(&mut self, workspace: ThreadId, activity: Activity) -> Option<Place> {
        let held = self.held.get_mut(&workspace)?;
        let before = std::mem::replace(&mut held.activity, activity);
        if let Some(used) = self.in_use.get_mut(index(held.place)) {
            used.parts = (used.parts + activity.parts()).saturating_sub(before.parts());
        }
        Some(held.place)
    }

    /// What is in use on a node.
    #[must_use]
    pub fn in_use(&self, place: Place) -> &InUse {
        self.in_use.get(index(place)).unwrap_or(NOTHING)
    }

    /// What a workspace holds.
    #[must_use]
    pub fn held(&self, workspace: ThreadId) -> Option<&Held> {
        self.held.get(&workspace)
    }

    /// How many workspaces hold something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

fn index(place: Place) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
