//! Nodes that are named by address: each is asked who it is and then registered, as if it had registered itself.

use super::link::describer;
use capstan_proto::convert::node::record;
use capstan_proto::token::Token;
use capstan_proto::wire::node::DescribeRequest;
use capstan_registry::{Registration, Registry};
use capstan_types::node::NodeAddress;
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

/// Asks the node who it is, and registers it.
///
/// # Errors
/// The node cannot be reached, refuses the token, or its name is taken.
pub async fn register(node: &StaticNode, registry: &dyn Registry) -> Result<Registration, RemoteError> {
    let failed = |reason: String| RemoteError { address: node.address.to_string(), reason };
    let mut describer = describer(&node.address, node.token.clone()).map_err(|error| failed(error.to_string()))?;
    let asked = tokio::time::timeout(DESCRIBE_DEADLINE, describer.describe(DescribeRequest {})).await;
    let answer = match asked {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Err(failed(reason_of(&status))),
        Err(_) => return Err(failed(format!("it did not answer within {} s", DESCRIBE_DEADLINE.as_secs()))),
    };
    let record = record(answer, node.address.clone()).map_err(|error| failed(error.to_string()))?;
    registry.register(record).await.map_err(|error| failed(error.to_string()))
}

fn reason_of(status: &tonic::Status) -> String {
    match status.code() {
        tonic::Code::Unavailable => "nothing answers there; is `capstan node` running, and is the address right?".to_owned(),
        _ => status.message().to_owned(),
    }
}
