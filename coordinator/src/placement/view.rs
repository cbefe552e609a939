//! What placement knows of the nodes at one moment.

use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;

/// The nodes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The nodes, by id.
    pub nodes: Vec<NodeRoom>,
}

/// One node and its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRoom {
    /// The node.
    pub id: NodeId,
    /// Sessions that it can run at once.
    pub sessions: u32,
}

impl NodeRoom {
    /// A node's room as its record states it.
    #[must_use]
    pub fn of(record: &NodeRecord) -> Self {
        Self { id: record.id.clone(), sessions: record.capacity.sessions }
    }
}
