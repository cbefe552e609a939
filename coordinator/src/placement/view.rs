//! What placement knows of the nodes at one moment.

use capstan_registry::{Stale, Standing};
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use capstan_types::policy::Level;

/// The nodes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The nodes, by id.
    pub nodes: Vec<NodeRoom>,
    /// Set: nobody knows what has become of them since.
    pub stale: Option<Stale>,
}

/// One node and its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRoom {
    /// The node.
    pub id: NodeId,
    /// Sessions that it can run at once.
    pub sessions: u32,
    /// How strong a sandbox it gives.
    pub level: Level,
    /// What a stronger one would have, and why the node does not give it.
    pub missing: Vec<String>,
    /// Whether it vanished together with many others, or does not answer, so that nobody knows what has become of it.
    pub suspect: bool,
}

impl NodeRoom {
    /// A node's room as its record states it, and as the registry stands.
    #[must_use]
    pub fn of(record: &NodeRecord, standing: &Standing) -> Self {
        let (level, missing) = (record.fingerprint.level, record.fingerprint.missing.clone());
        Self {
            id: record.id.clone(),
            sessions: record.capacity.sessions,
            level,
            missing,
            suspect: standing.suspects.contains(&record.id),
        }
    }
}
