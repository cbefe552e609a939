//! What operators order for a node: labels, taints, and whether it is closed to new work.
//!
//! Orders are kept apart from what a node says of itself, so that a node can change nothing about them and they outlive its restarts.
//! [`NodeOrders::obey`] is the only way they change; the last acts are kept with them, so that everybody can tell who did what and when.

mod act;
mod change;
mod merged;

pub use act::{Act, ActKind, KEPT_ACTS};
pub use change::{Change, Unchanged};
pub use merged::{Merged, Source};

use crate::label::{LabelKey, LabelValue};
use crate::operator::Person;
use crate::taint::Taint;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest reason that is kept, in characters.
pub const LONGEST_REASON: usize = 300;

/// What operators have ordered for one node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeOrders {
    /// Labels that go before the node's own. `None` takes one of the node's own away.
    pub labels: BTreeMap<LabelKey, Ordered<Option<LabelValue>>>,
    /// What keeps work away. Of one key and effect there is one.
    pub taints: Vec<Ordered<Taint>>,
    /// Whether nothing new is begun there.
    pub closed: Option<Ordered<Closed>>,
    /// The last acts, oldest first; at most [`KEPT_ACTS`].
    pub acts: Vec<Act>,
    /// How many acts there were in all.
    pub count: u64,
}

/// An order, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered<T> {
    /// What was ordered.
    pub what: T,
    /// By whom.
    pub by: Person,
    /// When, by the clock of the coordinator that took it.
    pub at: UnixMillis,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a node is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// Nothing new is placed there. Threads that are there go on.
    Cordoned,
    /// Nor do turns begin there; what runs is let end.
    Draining(Drain),
    /// All that ran there has ended.
    Drained,
}

/// How a node is drained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Until when what runs is let end; `None` lets it take as long as it takes.
    pub deadline: Option<UnixMillis>,
    /// What becomes then of what still runs.
    pub then: AtDeadline,
    /// The coordinator that carries it out. Others do when it does not.
    pub via: String,
}

/// What becomes of what still runs at the deadline of a drain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtDeadline {
    /// It runs on, and whoever waits is told.
    #[default]
    Tell,
    /// It is cancelled.
    Cancel,
    /// It is waited for.
    Wait,
}

/// Who orders, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// By whom.
    pub by: Person,
    /// When.
    pub at: UnixMillis,
    /// Why.
    pub reason: Option<String>,
}

impl NodeOrders {
    /// Whether nothing is ordered now. What was done before may still be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.taints.is_empty() && self.closed.is_none()
    }

    /// The drain that is under way, and whose it is.
    #[must_use]
    pub fn draining(&self) -> Option<(&Drain, &Ordered<Closed>)> {
        self.closed.as_ref().and_then(|closed| match &closed.what {
            Closed::Draining(drain) => Some((drain, closed)),
            Closed::Cordoned | Closed::Drained => None,
        })
    }

    /// Whether turns may not begin there.
    #[must_use]
    pub fn refuses_turns(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| !matches!(closed.what, Closed::Cordoned))
    }
}

#[cfg(test)]
mod tests;
