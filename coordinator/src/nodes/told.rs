//! What a node tells of itself that changes often, and what placement makes of it: coarse, so that little of it is news. Pure.

use crate::placement::facts::NodeFacts;
use capstan_types::load::{NodeLoad, Resource};

/// What a node told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What is free of the disk that holds its state, in bytes; `None` when it does not say.
    pub disk_free: Option<u64>,
    /// How many thousandths of its session slots are taken.
    pub busy: u16,
}

/// So many parts of a disk, and of a node's slots, are told apart.
const PARTS: u64 = 64;

impl Told {
    /// What a node of so many slots says.
    #[must_use]
    pub fn of(load: &NodeLoad, slots: u32) -> Self {
        let coarse =
            |part: u64, of: u64| u64::try_from(u128::from(part) * u128::from(PARTS) / u128::from(of.max(1))).unwrap_or(PARTS);
        let disk_free = load.rooms.get(&Resource::Disk).map(|room| {
            // Less rather than more.
            u64::try_from(u128::from(coarse(room.free, room.total)) * u128::from(room.total) / u128::from(PARTS)).unwrap_or(0)
        });
        let taken = coarse(u64::from(load.running.saturating_add(load.starting)), u64::from(slots)).min(PARTS);
        Self { disk_free, busy: u16::try_from(taken * 1000 / PARTS).unwrap_or(1000) }
    }

    /// The node under this: what is free of its disk may be less than what it had when it `registered` and is not `reserved`, since others write too.
    #[must_use]
    pub fn under(self, facts: &NodeFacts, registered: u64, reserved: u64) -> NodeFacts {
        let mut now = NodeFacts { busy: self.busy, ..facts.clone() };
        if let Some(free) = self.disk_free {
            now.capacity.disk_bytes = registered.min(free.saturating_add(reserved));
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::facts::Freshness;
    use capstan_types::load::Room;
    use capstan_types::policy::Level;
    use capstan_types::resources::Resources;

    #[test]
    fn what_others_write_to_a_nodes_disk_is_not_promised() {
        let facts = NodeFacts {
            id: "a".parse().unwrap(),
            labels: [].into(),
            taints: [].into(),
            cordoned: false,
            capacity: Resources { disk_bytes: 1000, ..Resources::NONE },
            slots: 8,
            level: Level::Full,
            missing: Vec::new(),
            freshness: Freshness::Fresh,
            mirrors: [].into(),
            busy: 0,
        };
        let disk = |free, reserved| Told { disk_free: Some(free), busy: 7 }.under(&facts, 1000, reserved).capacity.disk_bytes;
        assert_eq!((disk(5000, 0), disk(300, 0), disk(300, 600)), (1000, 300, 900));
        assert_eq!(Told { disk_free: None, busy: 7 }.under(&facts, 1000, 0), NodeFacts { busy: 7, ..facts });
    }

    #[test]
    fn little_of_what_changes_is_news() {
        let load = |free, running| NodeLoad {
            running,
            rooms: [(Resource::Disk, Room { free, total: 6400 })].into(),
            ..NodeLoad::default()
        };
        assert_eq!(Told::of(&load(3299, 32), 64), Told { disk_free: Some(3200), busy: 500 });
        assert_eq!(Told::of(&load(3299, 32), 64), Told::of(&load(3201, 32), 64));
        assert_eq!(Told::of(&load(6400, 900), 64).busy, 1000);
    }
}
