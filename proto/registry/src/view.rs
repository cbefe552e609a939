//! The nodes as one process sees them, with its watchers.
//!
//! Every registry keeps such a view: the embedded one writes it directly, one that follows a remote service writes what it hears. A
//! watcher costs a bounded amount of memory however slow it is: past [`BACKLOG`] unread events it is given the whole list instead.
//! Invariant: the list changes and the event is sent under one lock, so that a list and the events after it never disagree.

use crate::error::RegistryError;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::{self, error::RecvError};

/// The most events that wait for a watcher. Full: the oldest are dropped, and the watcher gets [`NodeEvent::Resync`].
pub const BACKLOG: usize = 256;

/// What a watcher is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nodes join rarely, and a watcher takes one event at a time")]
pub enum NodeEvent {
    /// These are all the nodes there are, by id; whatever the watcher knew before is void. It is the first event of a watch, and it
    /// replaces the events that a slow watcher missed.
    Resync(Vec<NodeRecord>),
    /// A node joined, or a new life of it.
    Joined(NodeRecord),
    /// This life of the node is over.
    Left(NodeId, Generation),
}

/// The nodes that are alive, and those who follow them. Clones share one view.
#[derive(Debug, Clone)]
pub struct NodeView {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    nodes: Mutex<BTreeMap<NodeId, NodeRecord>>,
    events: broadcast::Sender<NodeEvent>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, NodeRecord>> {
        // Every change below is one insert or remove, so a panic elsewhere in the holder leaves nothing half done.
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: NodeEvent) {
        // It fails only when nobody watches.
        let _ = self.events.send(event);
    }
}

impl NodeView {
    /// A view without nodes.
    #[must_use]
    pub fn empty() -> Self {
        Self { shared: Arc::new(Shared { nodes: Mutex::default(), events: broadcast::Sender::new(BACKLOG) }) }
    }

    /// Adds a node; an older life of it leaves first.
    ///
    /// # Errors
    /// [`RegistryError::NotNewer`] when a life as new or newer is there; nothing changes then.
    pub fn join(&self, record: NodeRecord) -> Result<(), RegistryError> {
        let mut nodes = self.shared.lock();
        if let Some(present) = nodes.get(&record.id).map(|present| present.generation) {
            if record.generation <= present {
                return Err(RegistryError::NotNewer { id: record.id, present, offered: record.generation });
            }
            self.shared.tell(NodeEvent::Left(record.id.clone(), present));
        }
        nodes.insert(record.id.clone(), record.clone());
        self.shared.tell(NodeEvent::Joined(record));
        Ok(())
    }

    /// Has the node as a registry elsewhere says it is, whatever was known of it. Without effect when it is so already.
    pub fn put(&self, record: NodeRecord) {
        let mut nodes = self.shared.lock();
        match nodes.get(&record.id) {
            Some(present) if *present == record => return,
            Some(present) => self.shared.tell(NodeEvent::Left(record.id.clone(), present.generation)),
            None => {}
        }
        nodes.insert(record.id.clone(), record.clone());
        self.shared.tell(NodeEvent::Joined(record));
    }

    /// Removes one life of a node. Without effect when it is not there, so that a late goodbye cannot remove a newer life.
    pub fn leave(&self, id: &NodeId, generation: Generation) {
        let mut nodes = self.shared.lock();
        if nodes.get(id).is_none_or(|present| present.generation != generation) {
            return;
        }
        nodes.remove(id);
        self.shared.tell(NodeEvent::Left(id.clone(), generation));
    }

    /// The nodes, by id.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeRecord> {
        self.shared.lock().values().cloned().collect()
    }

    /// Follows the nodes from now on.
    #[must_use]
    pub fn watch(&self) -> NodeWatch {
        let (first, events) = self.snapshot();
        NodeWatch { view: self.clone(), first: Some(first), events }
    }

    fn snapshot(&self) -> (Vec<NodeRecord>, broadcast::Receiver<NodeEvent>) {
        let nodes = self.shared.lock();
        (nodes.values().cloned().collect(), self.shared.events.subscribe())
    }
}

/// One watcher's place in the changes of a [`NodeView`].
#[derive(Debug)]
pub struct NodeWatch {
    view: NodeView,
    first: Option<Vec<NodeRecord>>,
    events: broadcast::Receiver<NodeEvent>,
}

impl NodeWatch {
    /// The next event; waits for one as long as it takes. Dropping the future loses no event.
    pub async fn next(&mut self) -> NodeEvent {
        if let Some(nodes) = self.first.take() {
            return NodeEvent::Resync(nodes);
        }
        match self.events.recv().await {
            Ok(event) => event,
            // `Closed` cannot come while `self.view` holds the sender; a fresh list is right for both.
            Err(RecvError::Lagged(_) | RecvError::Closed) => {
                let (nodes, events) = self.view.snapshot();
                self.events = events;
                NodeEvent::Resync(nodes)
            }
        }
    }
}

#[cfg(test)]
mod tests;
