//! Reads one node's key and value. What others wrote is taken for nothing better than what it is.

use super::value;
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;

/// A record that can be read and stands where it belongs.
pub(super) fn readable(id: &NodeId, bytes: &[u8]) -> Option<value::Found<NodeRecord>> {
    let read = value::node(bytes).and_then(|found| {
        let (value::Found::Here(record) | value::Found::Leaving(record)) = &found;
        if record.id == *id { Ok(found) } else { Err(format!("it is the record of {}", record.id)) }
    });
    read.inspect_err(|reason| tracing::warn!(node = %id, reason, "a node's record in etcd cannot be read; the node is not used"))
        .ok()
}

/// Whose key it is; `None` for one that no node has.
pub(super) fn node_id(beginning: &str, key: &[u8]) -> Option<NodeId> {
    std::str::from_utf8(key).ok()?.strip_prefix(beginning)?.parse().ok()
}
