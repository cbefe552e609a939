//! The Node service.

use crate::node::handle::NodeHandle;
use crate::service::span::server_span;
use capstan_proto::convert::node::describe;
use capstan_proto::wire::node as wire;
use capstan_types::time::{Millis, UnixMillis};
use std::time::{SystemTime, UNIX_EPOCH};
use tonic::{Request, Response, Status};
use tracing::Instrument;

/// Says what the node is.
#[derive(Debug, Clone)]
pub(crate) struct NodeService {
    node: NodeHandle,
}

impl NodeService {
    pub(crate) const fn new(node: NodeHandle) -> Self {
        Self { node }
    }
}

#[tonic::async_trait]
impl wire::node_server::Node for NodeService {
    async fn describe(&self, request: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        let span = server_span("capstan.node.v1.Node", "Describe", request.metadata());
        let load = self.node.gate.load(self.node.places.load()).instrument(span).await;
        let record = (*self.node.record).clone();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = UnixMillis(Millis::of(since).0);
        Ok(Response::new(describe(record, env!("CARGO_PKG_VERSION"), self.node.places.known(), load, clock)))
    }
}
