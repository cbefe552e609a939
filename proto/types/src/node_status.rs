//! A node as a coordinator sees it, for operators.

mod condition;
mod drain;
mod event;

pub use condition::{Condition, ConditionKind};
pub use drain::{DrainProgress, DrainStage, RunningSession};
pub use event::{ClusterEvent, EventKind, Told};

use crate::id::{Generation, NodeId};
use crate::load::NodeLoad;
use crate::node::Capacity;
use crate::orders::{Act, Closed, Ordered};
use crate::policy::Level;
use crate::taint::Taint;
use crate::time::Millis;
use std::collections::BTreeMap;

/// A node as a coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its name.
    pub id: NodeId,
    /// What it says of itself; `None` while it is not registered.
    pub life: Option<Life>,
    /// What selectors look at, by key.
    pub labels: BTreeMap<String, LabelStatus>,
    /// Labels of its own that an operator has replaced or taken away.
    pub hidden: BTreeMap<String, String>,
    /// What keeps work away.
    pub taints: Vec<Ordered<Taint>>,
    /// Whether it is closed to new work.
    pub closed: Option<Ordered<Closed>>,
    /// The last acts of operators, oldest first.
    pub acts: Vec<Act>,
    /// How many acts there were in all.
    pub acts_in_all: u64,
    /// How it is.
    pub conditions: Vec<Condition>,
    /// What it has in use, and how long ago it said so.
    pub load: Option<(NodeLoad, Millis)>,
    /// What the coordinator has reserved there.
    pub reserved: Reserved,
    /// Turns of the coordinator that run there.
    pub turns: u32,
}

/// What a node says of itself in one of its lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Which life.
    pub generation: Generation,
    /// Where it is reached.
    pub address: String,
    /// Its release; empty when it has not told yet.
    pub version: String,
    /// The protocol that it speaks; 0 when it does not say.
    pub protocol: u32,
    /// What it can run.
    pub capacity: Capacity,
    /// Its kernel's release.
    pub kernel: String,
    /// Its machine's architecture.
    pub arch: String,
    /// What its sessions reach.
    pub level: Level,
    /// What a stronger level would have, and why it is not given.
    pub missing: Vec<String>,
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelStatus {
    /// Its value.
    pub value: String,
    /// Whether an operator has set it.
    pub by_operator: bool,
}

/// What a coordinator has reserved on a node for its threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved {
    /// Thousandths of a processor.
    pub cpu_milli: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk in bytes.
    pub disk_bytes: u64,
    /// Workspaces.
    pub workspaces: u32,
}

impl NodeStatus {
    /// A condition of this kind, if something is known of it.
    #[must_use]
    pub fn condition(&self, kind: ConditionKind) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Whether a condition of this kind holds.
    #[must_use]
    pub fn is(&self, kind: ConditionKind) -> bool {
        self.condition(kind).is_some_and(|condition| condition.holds)
    }
}
