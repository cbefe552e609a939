//! Nodes that are named by address: each is asked who it is and then registered, as if it had registered itself.

use super::link::describer;
use capstan_identity::membership::Membership;
use capstan_proto::convert::node::record;
use capstan_proto::token::Token;
use capstan_proto::transport::tls::why_not;
use capstan_proto::wire::node::DescribeRequest;
use capstan_registry::{Registration, Registry};
use capstan_types::id::NodeId;
use capstan_types::node::{NodeAddress, NodeRecord};
use std::time::Duration;

/// The longest a node may take to say who it is.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(10);

/// A node that is named by its address.
#[derive(Debug, Clone)]
pub struct StaticNode {
    /// Where it is reached.
    pub address: NodeAddress,
    /// What lets one in.
    pub token: Option<Token>,
}

/// A named node that cannot be used. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the node at {address}: {reason}")]
pub struct RemoteError {
    address: String,
    reason: String,
}

/// Asks the node who it is, and registers it. A member of a cluster is asked twice: the second time it must prove to be the one that it
/// says it is.
///
/// # Errors
/// The node cannot be reached, refuses the token or the certificate, is another than it says, or its name is taken.
pub async fn register(
    node: &StaticNode,
    registry: &dyn Registry,
    membership: Option<&Membership>,
) -> Result<Registration, RemoteError> {
    let failed = |reason: String| RemoteError { address: node.address.to_string(), reason };
    let mut found = described(node, membership, None).await.map_err(failed)?;
    if matches!(node.address, NodeAddress::Tls(_)) {
        found = described(node, membership, Some(&found.id)).await.map_err(failed)?;
    }
    registry.register(found).await.map_err(|error| failed(error.to_string()))
}

async fn described(node: &StaticNode, membership: Option<&Membership>, id: Option<&NodeId>) -> Result<NodeRecord, String> {
    let describer = describer(&node.address, node.token.clone(), membership, id);
    let mut describer = describer.map_err(|error| error.to_string())?;
    let answer = match tokio::time::timeout(DESCRIBE_DEADLINE, describer.describe(DescribeRequest {})).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Err(reason_of(&status)),
        Err(_) => return Err(format!("it did not answer within {} s", DESCRIBE_DEADLINE.as_secs())),
    };
    record(answer, node.address.clone()).map_err(|error| error.to_string())
}

fn reason_of(status: &tonic::Status) -> String {
    if let Some(why) = why_not(status) {
        return why;
    }
    match status.code() {
        tonic::Code::Unavailable => "nothing answers there; is `capstan node` running, and is the address right?".to_owned(),
        _ => status.message().to_owned(),
    }
}
