//! What is free on each node, close together in memory, and the nodes in the order of their load.

use crate::placement::facts::NodeFacts;
use crate::placement::reservations::{InUse, PARTS, Place};
use capstan_types::resources::Resources;
use roaring::RoaringBitmap;

/// How finely loads are told apart in the order.
const STEPS: u32 = 1000;

/// What is free on a node, and what there is at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Room {
    cpu: [u64; 2],
    memory: [u64; 2],
    disk: [u64; 2],
    parts: u64,
    /// The largest share of anything that is in use, in thousandths.
    pub load: u16,
    step: usize,
}

impl Room {
    /// Of a node on which this is in use.
    #[must_use]
    pub fn of(facts: &NodeFacts, used: &InUse) -> Self {
        let (all, held) = (&facts.capacity, &used.resources);
        let parts = u64::from(facts.slots) * PARTS;
        let shares = [
            share(held.cpu_milli, all.cpu_milli),
            share(held.memory_bytes, all.memory_bytes),
            share(held.disk_bytes, all.disk_bytes),
            share(used.parts, parts),
            facts.busy.min(1000),
        ];
        let custom = held.custom.iter().map(|(key, held)| share(*held, all.custom(key)));
        let load = shares.into_iter().chain(custom).max().unwrap_or(0);
        Self {
            cpu: [all.cpu_milli.saturating_sub(held.cpu_milli), all.cpu_milli],
            memory: [all.memory_bytes.saturating_sub(held.memory_bytes), all.memory_bytes],
            disk: [all.disk_bytes.saturating_sub(held.disk_bytes), all.disk_bytes],
            parts: parts.saturating_sub(used.parts),
            load,
            step: step(load),
        }
    }

    /// Whether this much is free, custom resources aside.
    #[must_use]
    pub const fn takes(&self, want: &Resources) -> bool {
        self.parts > 0 && want.cpu_milli <= self.cpu[0] && want.memory_bytes <= self.memory[0] && want.disk_bytes <= self.disk[0]
    }

    /// Whether this much would be free if nothing were in use, custom resources aside.
    #[must_use]
    pub const fn could_take(&self, want: &Resources) -> bool {
        want.cpu_milli <= self.cpu[1] && want.memory_bytes <= self.memory[1] && want.disk_bytes <= self.disk[1]
    }
}

fn step(load: u16) -> usize {
    usize::try_from(u32::from(load) * STEPS / 1000).unwrap_or(0)
}

/// In thousandths; of nothing nothing is in use.
fn share(used: u64, total: u64) -> u16 {
    if total == 0 {
        return 0;
    }
    let share = u128::from(used) * 1000 / u128::from(total);
    u16::try_from(share).unwrap_or(1000).min(1000)
}

/// The nodes in the order of their load, in steps.
#[derive(Debug, Clone)]
pub struct Order(Vec<RoaringBitmap>);

impl Default for Order {
    fn default() -> Self {
        Self(vec![RoaringBitmap::new(); step(1000) + 1])
    }
}

impl Order {
    /// Takes a node in.
    pub fn insert(&mut self, place: Place, room: &Room) {
        if let Some(step) = self.0.get_mut(room.step) {
            step.insert(place);
        }
    }

    /// Takes a node out; `room` is that with which it was taken in.
    pub fn remove(&mut self, place: Place, room: &Room) {
        if let Some(step) = self.0.get_mut(room.step) {
            step.remove(place);
        }
    }

    /// The steps, from the least loaded.
    #[must_use]
    pub fn steps(&self) -> &[RoaringBitmap] {
        &self.0
    }
}
