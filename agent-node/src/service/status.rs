//! Each refusal as the gRPC status that the protobuf files promise.

use crate::error::NodeError;
use capstan_proto::refusal;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The trailer that says when to ask again, in milliseconds.
const RETRY_AFTER: &str = "retry-after-ms";

impl From<NodeError> for Status {
    fn from(error: NodeError) -> Self {
        let said = error.to_string();
        match error {
            NodeError::Refused(refused) => refusal::to_status(&refused),
            NodeError::Full { retry_after, .. }
            | NodeError::Busy { retry_after, .. }
            | NodeError::Short { retry_after, .. }
            | NodeError::Closing { retry_after } => later(said, retry_after),
            NodeError::StaleEpoch { .. } | NodeError::NoSource(_) => Self::failed_precondition(said),
            NodeError::NoSession(_) | NodeError::NoThread(_) | NodeError::NoDirectory { .. } | NodeError::NoCheckpoint(_) => {
                Self::not_found(said)
            }
            NodeError::NoMade(_) => Self::not_found(said),
            NodeError::MadeInUse { .. } => Self::aborted(said),
            NodeError::InputClosed | NodeError::StillRuns | NodeError::NoState { .. } => Self::aborted(said),
            NodeError::Crowded { .. } | NodeError::NoRoom(_) => Self::resource_exhausted(said),
            NodeError::Unknown(_) => Self::unknown(said),
            NodeError::Over | NodeError::OtherSource { .. } => Self::already_exists(said),
            NodeError::Late(_) => Self::deadline_exceeded(said),
            NodeError::HolderLost(_) | NodeError::Stopping | NodeError::SourceAway(_) => Self::unavailable(said),
        }
    }
}

fn later(said: String, wait: Duration) -> Status {
    let mut status = Status::new(Code::ResourceExhausted, said);
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    status.metadata_mut().insert(RETRY_AFTER, MetadataValue::from(millis));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;
    use capstan_types::launch::Refusal;

    #[test]
    fn a_full_node_says_when_to_ask_again() {
        let status = Status::from(NodeError::Full { total: 3, retry_after: error::RETRY_AFTER });
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status.metadata().get(RETRY_AFTER).unwrap(), "500");
        assert_eq!(status.message(), "all 3 session places of this node are taken");
    }

    #[test]
    fn a_refused_start_carries_its_reason_as_a_value() {
        let refused = Refusal::Policy { reason: "x".into() };
        assert_eq!(refusal::from_status(&NodeError::Refused(refused.clone()).into()), Some(refused));
    }
}
