//! A session whose end is told, and that its node may forget once that is stored.

use capstan_types::id::{NodeId, SessionId};

/// A session that its node may forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The node.
    pub node: NodeId,
    /// The session.
    pub session: SessionId,
}
