//! Folds what etcd tells into the nodes that are there, and says what changed. No clock and no wire: values in, values out.
//!
//! Invariant: a revision counts once. After a list, events that are older than it are skipped, so that a list in the middle of a watch
//! does no harm, and neither does an event that is told twice. A list is always right: it is read by agreement of the members, so that one
//! with a lower revision than was seen before is of an etcd that was restored or begun anew.

use super::value::Found;
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use std::collections::BTreeMap;

/// What an event says of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) id: NodeId,
    pub(super) revision: i64,
    /// `None`: its key is gone, or holds what nobody can read.
    pub(super) found: Option<Found<NodeRecord>>,
}

/// What changed in the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// A node is there, or is there otherwise than before.
    Here(NodeRecord),
    /// It said goodbye.
    Left(NodeRecord),
    /// Its key is gone, and nobody knows why.
    Vanished(NodeRecord),
}

/// The nodes as of one revision.
#[derive(Debug, Default)]
pub(super) struct Picture {
    nodes: BTreeMap<NodeId, NodeRecord>,
    revision: i64,
}

impl Picture {
    /// The revision that it is of; 0 before the first list.
    pub(super) const fn revision(&self) -> i64 {
        self.revision
    }

    /// How many nodes are there.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Takes in the events of one answer, which has all those of its revisions.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Vec<Told> {
        let (seen, mut told) = (self.revision, Vec::new());
        for change in changes.into_iter().filter(|change| change.revision > seen) {
            self.revision = self.revision.max(change.revision);
            told.extend(self.change(change.id, change.found));
        }
        told
    }

    /// Takes in a whole list, as of `revision`. What is not in it is gone.
    pub(super) fn relist(&mut self, revision: i64, listed: Vec<(NodeId, Option<Found<NodeRecord>>)>) -> Vec<Told> {
        self.revision = revision;
        let listed: BTreeMap<_, _> = listed.into_iter().collect();
        let missing: Vec<NodeId> = self.nodes.keys().filter(|id| !listed.contains_key(*id)).cloned().collect();
        let mut told: Vec<Told> = missing.into_iter().filter_map(|id| self.change(id, None)).collect();
        for (id, found) in listed {
            told.extend(self.change(id, found));
        }
        told
    }

    fn change(&mut self, id: NodeId, found: Option<Found<NodeRecord>>) -> Option<Told> {
        match found {
            Some(Found::Here(record)) if self.nodes.get(&id) == Some(&record) => None,
            Some(Found::Here(record)) => {
                self.nodes.insert(id, record.clone());
                Some(Told::Here(record))
            }
            Some(Found::Leaving(_)) => self.nodes.remove(&id).map(Told::Left),
            None => self.nodes.remove(&id).map(Told::Vanished),
        }
    }
}

#[cfg(test)]
mod tests;
