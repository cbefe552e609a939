//! The brake: when many nodes vanish at once, the registry is doubted rather than the nodes.
//!
//! A registry that was away, or whose disk was slow, ends the leases of nodes that are well. Whoever acted on that would move or end work
//! on all of them. So those that vanish while the brake holds stay known as suspect for a grace time. Values in, values out: the time is
//! given.

use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When the brake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// More than so many of a hundred nodes.
    pub(crate) percent: usize,
    /// And at least so many.
    pub(crate) least: usize,
    /// Vanished within this time.
    pub(crate) window: Duration,
    /// For so long they stay suspect.
    pub(crate) grace: Duration,
}

/// What to tell of nodes that vanished.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ruling {
    /// These left.
    pub(crate) left: Vec<NodeRecord>,
    /// These are suspect; some of them may have been told to have left, a moment ago.
    pub(crate) suspect: Vec<NodeRecord>,
}

/// The brake of one view.
#[derive(Debug)]
pub(crate) struct Brake {
    rule: Rule,
    /// Told to have left, within the window.
    recent: BTreeMap<NodeId, (NodeRecord, Instant)>,
    /// Held back, since then.
    suspects: BTreeMap<NodeId, (NodeRecord, Instant)>,
}

impl Brake {
    pub(crate) const fn new(rule: Rule) -> Self {
        Self { rule, recent: BTreeMap::new(), suspects: BTreeMap::new() }
    }

    /// These vanished, and so many are still there.
    pub(crate) fn vanished(&mut self, gone: Vec<NodeRecord>, there: usize, now: Instant) -> Ruling {
        self.recent.retain(|_, (_, at)| now.saturating_duration_since(*at) < self.rule.window);
        let missing = self.recent.len() + self.suspects.len() + gone.len();
        let too_many = missing >= self.rule.least && missing * 100 > self.rule.percent * (there + missing);
        if !too_many && self.suspects.is_empty() {
            self.recent.extend(gone.iter().map(|node| (node.id.clone(), (node.clone(), now))));
            return Ruling { left: gone, suspect: Vec::new() };
        }
        let told = std::mem::take(&mut self.recent).into_values().map(|(node, _)| node);
        let suspect: Vec<NodeRecord> = told.chain(gone).collect();
        self.suspects.extend(suspect.iter().map(|node| (node.id.clone(), (node.clone(), now))));
        Ruling { left: Vec::new(), suspect }
    }

    /// The node is there.
    pub(crate) fn appeared(&mut self, id: &NodeId) {
        self.recent.remove(id);
        self.suspects.remove(id);
    }

    /// Those whose grace is over: they left.
    pub(crate) fn lapsed(&mut self, now: Instant) -> Vec<NodeRecord> {
        let grace = self.rule.grace;
        let over = self.suspects.extract_if(.., |_, (_, since)| now.saturating_duration_since(*since) >= grace);
        over.map(|(_, (node, _))| node).collect()
    }

    /// The registry was away: nobody could come back meanwhile, and the grace begins anew.
    pub(crate) fn begin_again(&mut self, now: Instant) {
        self.suspects.values_mut().for_each(|(_, since)| *since = now);
    }

    /// Who is suspect.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = &NodeId> {
        self.suspects.keys()
    }
}

#[cfg(test)]
mod tests;
