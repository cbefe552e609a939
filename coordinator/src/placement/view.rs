//! What placement knows of all nodes, kept up as things happen: the nodes, what is reserved, and the sets by which a choice finds its way.
//!
//! Invariant: the sets and the order say what a look at every node would say (the tests compare them).

pub mod room;
pub mod sets;

use super::facts::NodeFacts;
use super::reservations::{Activity, Capacity, Held, InUse, NoRoom, Place, Reservations};
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::resources::Resources;
use roaring::RoaringBitmap;
use room::{Order, Room};
use sets::Sets;
use std::collections::HashMap;
use std::sync::Arc;

/// The nodes and what is reserved on them.
#[derive(Debug, Clone, Default)]
pub struct View {
    facts: Vec<Option<NodeFacts>>,
    rooms: Vec<Room>,
    places: HashMap<NodeId, Place>,
    names: Vec<Option<NodeId>>,
    unused: Vec<Place>,
    sets: Sets,
    order: Order,
    ledger: Reservations,
    batches: HashMap<Arc<str>, Siblings>,
}

/// Where the workspaces of one batch are.
#[derive(Debug, Clone, Default)]
pub struct Siblings {
    places: RoaringBitmap,
    counts: HashMap<Place, u32>,
}

impl Siblings {
    /// The nodes with at least one of them.
    #[must_use]
    pub const fn places(&self) -> &RoaringBitmap {
        &self.places
    }

    /// How many are on a node.
    #[must_use]
    pub fn on(&self, place: Place) -> u32 {
        self.counts.get(&place).copied().unwrap_or(0)
    }
}

impl View {
    /// Takes a node in, or what has changed of it. What is reserved on it stays reserved.
    pub fn put(&mut self, facts: NodeFacts) {
        let place = self.place_for(&facts.id);
        self.forget(place);
        let room = Room::of(&facts, self.ledger.in_use(place));
        self.sets.insert(place, &facts);
        self.order.insert(place, &room);
        set(&mut self.rooms, place, room);
        set(&mut self.facts, place, Some(facts));
    }

    /// Takes a node out. What is reserved on it stays so, for when it comes back, until it is given back.
    pub fn leave(&mut self, id: &NodeId) {
        if let Some(place) = self.places.get(id).copied() {
            self.forget(place);
            self.tidy(place);
        }
    }

    /// Takes all nodes out, as [`View::leave`] does.
    pub fn clear(&mut self) {
        let all: Vec<NodeId> = self.nodes().map(|facts| facts.id.clone()).collect();
        all.iter().for_each(|id| self.leave(id));
    }

    /// Reserves for a workspace on a node.
    ///
    /// # Errors
    /// There is no room, or the workspace is elsewhere; nothing changes then.
    pub fn reserve(&mut self, workspace: ThreadId, node: &NodeId, what: &Resources, batch: Option<&str>) -> Result<(), NoRoom> {
        let place = self.place_for(node);
        let held = self.holding(place, what, batch);
        let known = self.ledger.held(workspace).is_some();
        let facts = self.facts.get(index(place)).and_then(Option::as_ref);
        let none = Capacity { resources: &Resources::NONE, slots: 0 };
        let capacity = facts.map_or(none, |facts| Capacity { resources: &facts.capacity, slots: facts.slots });
        let reserved = self.ledger.reserve(workspace, held.clone(), capacity);
        match reserved {
            Ok(()) if known => {}
            Ok(()) => {
                self.count(&held);
                self.weigh(place);
            }
            Err(_) => self.tidy(place),
        }
        reserved
    }

    /// Reserves for a workspace that is on its node already, whether there is room or not.
    pub fn hold(&mut self, workspace: ThreadId, node: &NodeId, what: &Resources, batch: Option<&str>) {
        let place = self.place_for(node);
        if self.ledger.held(workspace).is_some_and(|held| held.place == place) {
            return;
        }
        self.give_back(workspace);
        let held = self.holding(place, what, batch);
        self.ledger.hold(workspace, held.clone());
        self.count(&held);
        self.weigh(place);
    }

    /// Gives back what a workspace held.
    pub fn give_back(&mut self, workspace: ThreadId) -> bool {
        let Some(held) = self.ledger.give_back(workspace) else { return false };
        if let Some(siblings) = held.batch.as_ref().and_then(|batch| self.batches.get_mut(batch)) {
            let left = siblings.on(held.place).saturating_sub(1);
            if left == 0 {
                siblings.counts.remove(&held.place);
                siblings.places.remove(held.place);
            } else {
                siblings.counts.insert(held.place, left);
            }
            if siblings.counts.is_empty() {
                let _ = held.batch.as_ref().and_then(|batch| self.batches.remove(batch));
            }
        }
        self.weigh(held.place);
        self.tidy(held.place);
        true
    }

    /// Takes note of what a workspace's thread does.
    pub fn set_activity(&mut self, workspace: ThreadId, activity: Activity) {
        if let Some(place) = self.ledger.set_activity(workspace, activity) {
            self.weigh(place);
        }
    }

    /// The nodes, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeFacts> {
        self.facts.iter().flatten()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.sets.all.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.all.is_empty()
    }

    /// What is in use on a node.
    #[must_use]
    pub fn in_use(&self, node: &NodeId) -> InUse {
        self.places.get(node).map_or_else(InUse::default, |place| self.ledger.in_use(*place).clone())
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> &Reservations {
        &self.ledger
    }

    /// A node's number, while it is there.
    #[must_use]
    pub fn place(&self, node: &NodeId) -> Option<Place> {
        self.places.get(node).copied().filter(|place| self.sets.all.contains(*place))
    }

    /// A node by its number.
    #[must_use]
    pub fn facts(&self, place: Place) -> Option<&NodeFacts> {
        self.facts.get(index(place))?.as_ref()
    }

    /// What is free on a node.
    #[must_use]
    pub fn room(&self, place: Place) -> Room {
        self.rooms.get(index(place)).copied().unwrap_or_default()
    }

    /// The sets.
    #[must_use]
    pub const fn sets(&self) -> &Sets {
        &self.sets
    }

    /// The order of loads.
    #[must_use]
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// Where a batch's workspaces are.
    #[must_use]
    pub fn siblings(&self, batch: &str) -> Option<&Siblings> {
        self.batches.get(batch)
    }

    fn holding(&self, place: Place, what: &Resources, batch: Option<&str>) -> Held {
        // One text for all workspaces of a batch.
        let known = batch.and_then(|batch| self.batches.get_key_value(batch)).map(|(batch, _)| Arc::clone(batch));
        let batch = known.or_else(|| batch.map(Arc::from));
        Held { place, resources: what.clone(), batch, activity: Activity::Thinks }
    }

    fn count(&mut self, held: &Held) {
        if let Some(batch) = &held.batch {
            let siblings = self.batches.entry(Arc::clone(batch)).or_default();
            siblings.places.insert(held.place);
            *siblings.counts.entry(held.place).or_default() += 1;
        }
    }

    /// Puts a node into the order anew, after what is in use on it has changed.
    fn weigh(&mut self, place: Place) {
        let Some(facts) = self.facts.get(index(place)).and_then(Option::as_ref) else { return };
        let (before, now) = (self.room(place), Room::of(facts, self.ledger.in_use(place)));
        self.order.remove(place, &before);
        self.order.insert(place, &now);
        set(&mut self.rooms, place, now);
    }

    fn forget(&mut self, place: Place) {
        if let Some(facts) = self.facts.get_mut(index(place)).and_then(Option::take) {
            self.sets.remove(place, &facts);
            let room = self.room(place);
            self.order.remove(place, &room);
        }
    }

    fn place_for(&mut self, id: &NodeId) -> Place {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let next = Place::try_from(self.names.len()).unwrap_or(Place::MAX);
        let place = self.unused.pop().unwrap_or(next);
        self.places.insert(id.clone(), place);
        set(&mut self.names, place, Some(id.clone()));
        place
    }

    /// Gives up the number of a node that is gone and holds nothing, so that nodes that come and go leave nothing behind.
    fn tidy(&mut self, place: Place) {
        if self.facts(place).is_some() || self.ledger.in_use(place).workspaces > 0 {
            return;
        }
        if let Some(name) = self.names.get_mut(index(place)).and_then(Option::take) {
            self.places.remove(&name);
            self.unused.push(place);
        }
    }
}

fn index(place: Place) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn set<T: Default>(all: &mut Vec<T>, place: Place, value: T) {
    let at = index(place);
    if all.len() <= at {
        all.resize_with(at + 1, T::default);
    }
    if let Some(slot) = all.get_mut(at) {
        *slot = value;
    }
}
