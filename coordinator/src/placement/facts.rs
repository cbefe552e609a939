//! What placement knows of one node, besides what is reserved on it.

use capstan_types::id::NodeId;
use capstan_types::label::Labels;
use capstan_types::node::NodeRecord;
use capstan_types::orders::{Merged, NodeOrders};
use capstan_types::policy::Level;
use capstan_types::resources::Resources;
use capstan_types::taint::Taint;
use std::collections::BTreeSet;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub id: NodeId,
    /// What selectors look at.
    pub labels: Labels,
    /// What keeps work away.
    pub taints: BTreeSet<Taint>,
    /// Whether a person has closed it to new work.
    pub cordoned: bool,
    /// What there is of each amount, in use or not.
    pub capacity: Resources,
    /// Sessions that it runs at once.
    pub slots: u32,
    /// How strong a sandbox it gives.
    pub level: Level,
    /// What a stronger one would have, and why the node does not give it.
    pub missing: Vec<String>,
    /// Whether what is known of it still holds.
    pub freshness: Freshness,
    /// The repositories of which it has a mirror or a warm cache, by whatever name the needs use.
    pub mirrors: BTreeSet<String>,
    /// How busy it said it is, in thousandths.
    pub busy: u16,
}

/// Whether what is known of a node still holds. Only a fresh node gets anything new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freshness {
    /// It was heard of lately.
    #[default]
    Fresh,
    /// It, or whoever tells of it, has been silent for a while.
    Stale,
    /// It is about to be given up.
    Suspect,
}

impl NodeFacts {
    /// A node as its record states it: open, fresh, and without taints.
    #[must_use]
    pub fn of(record: &NodeRecord) -> Self {
        Self {
            id: record.id.clone(),
            labels: record.labels.clone(),
            taints: BTreeSet::new(),
            cordoned: false,
            capacity: Resources {
                cpu_milli: u64::from(record.capacity.cpus) * 1000,
                memory_bytes: record.capacity.memory_bytes,
                disk_bytes: record.stock.disk_bytes,
                custom: record.stock.custom.clone(),
            },
            slots: record.capacity.sessions,
            level: record.fingerprint.level,
            missing: record.fingerprint.missing.clone(),
            freshness: Freshness::Fresh,
            mirrors: record.stock.holds.clone(),
            busy: 0,
        }
    }

    /// The same under what operators have ordered for it.
    #[must_use]
    pub fn under(self, orders: &NodeOrders) -> Self {
        let Merged { labels, taints, closed, .. } = orders.merged(&self.labels);
        Self { labels, taints, cordoned: closed, ..self }
    }
}
