//! What a node's status means for the tool that asked.

use capstan_proto::refusal;
use capstan_proto::transport::tls::why_not;
use capstan_tools::host::HostError;
use capstan_types::id::NodeId;
use std::time::Duration;
use tonic::{Code, Status};

/// The trailer by which a full node says when to ask again.
const RETRY_AFTER: &str = "retry-after-ms";

/// What a tool is told about a status that answers one request.
#[must_use]
pub fn of_status(node: &NodeId, status: &Status) -> HostError {
    if let Some(refusal) = refusal::from_status(status) {
        return HostError::NotStarted(refusal.to_string());
    }
    match status.code() {
        Code::ResourceExhausted => {
            HostError::Busy { node: node.clone(), reason: status.message().to_owned(), retry_after: retry_after(status) }
        }
        Code::NotFound => HostError::NoSession,
        Code::FailedPrecondition => HostError::Fenced,
        Code::Aborted => HostError::InputClosed,
        Code::InvalidArgument | Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented => {
            HostError::NotStarted(format!("node {node} refused the request: {}", status.message()))
        }
        _ => {
            let reason = why_not(status).unwrap_or_else(|| status.message().to_owned());
            HostError::Lost { node: node.clone(), reason }
        }
    }
}

/// Whether the same request may be sent again: the node was not reached, or is stopping.
#[must_use]
pub fn may_be_repeated(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown) && refusal::from_status(status).is_none()
}

fn retry_after(status: &Status) -> Duration {
    let text = status.metadata().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).map_or(Duration::from_secs(1), Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::launch::Refusal;

    #[test]
    fn each_status_has_one_meaning() {
        let node: NodeId = "n1".parse().unwrap();
        let refusal = Refusal::Policy { reason: "it is `/`".into() };
        assert_eq!(of_status(&node, &refusal::to_status(&refusal)), HostError::NotStarted(refusal.to_string()));
        let mut full = Status::resource_exhausted("full");
        full.metadata_mut().insert(RETRY_AFTER, "250".parse().unwrap());
        let busy = HostError::Busy { node: node.clone(), reason: "full".to_owned(), retry_after: Duration::from_millis(250) };
        assert_eq!(of_status(&node, &full), busy);
        assert_eq!(of_status(&node, &Status::failed_precondition("stale")), HostError::Fenced);
        assert_eq!(of_status(&node, &Status::not_found("gone")), HostError::NoSession);
        assert!(matches!(of_status(&node, &Status::unavailable("down")), HostError::Lost { .. }));
        assert!(may_be_repeated(&Status::unavailable("down")));
        assert!(!may_be_repeated(&refusal::to_status(&refusal)));
    }
}
