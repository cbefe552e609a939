//! What people ask about the workspaces that the node made.

use crate::error::NodeError;
use crate::node::handle::NodeHandle;
use crate::workspace::disk::Disk;
use capstan_identity::audit::{Entry, Kind};
use capstan_proto::transport::tls::Caller;
use capstan_types::operator::Operator;

/// Does it on a thread for blocking work: much may have to be measured, or removed.
pub(super) async fn at_disk<T: Send + 'static>(
    node: &NodeHandle,
    work: impl FnOnce(&Disk) -> T + Send + 'static,
) -> Result<T, NodeError> {
    let disk = node.disk.clone();
    tokio::task::spawn_blocking(move || work(&disk)).await.map_err(|error| NodeError::Unknown(error.to_string()))
}

/// Writes down what an operator is about to do, with the member who asks for it.
pub(super) fn note(node: &NodeHandle, caller: Option<&Caller>, who: &Operator, what: &'static str, act: String) {
    let via = who.via.as_ref().map(ToString::to_string);
    tracing::info!(by = %who, via, act, "an operator acts on workspaces");
    let (Some(membership), Some(caller)) = (&node.membership, caller) else { return };
    let mut entry = Entry::new(Kind::Operated, caller.peer(), what, format!("for an operator who is said to be {who}"));
    entry.from = caller.from();
    entry.act = Some(act);
    membership.audit.write(entry);
}
