//! The Node service.

use crate::node::handle::NodeHandle;
use crate::service::beat::beats;
use crate::service::span::server_span;
use capstan_proto::convert::node::describe;
use capstan_proto::wire::node as wire;
use futures::stream::BoxStream;
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
    type BeatStream = BoxStream<'static, Result<wire::BeatResponse, Status>>;

    async fn beat(&self, _: Request<wire::BeatRequest>) -> Result<Response<Self::BeatStream>, Status> {
        Ok(Response::new(beats(&self.node)))
    }

    async fn describe(&self, request: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        let span = server_span("capstan.node.v1.Node", "Describe", request.metadata());
        let load = self.node.gate.load(self.node.places.load()).instrument(span).await;
        let record = (*self.node.record).clone();
        Ok(Response::new(describe(record, env!("CARGO_PKG_VERSION"), self.node.places.known(), load)))
    }
}
