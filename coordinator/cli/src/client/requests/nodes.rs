//! What is asked of a coordinator about its nodes.

use super::{ASK_DEADLINE, Requests, within};
use crate::client::error::ClientError;
use crate::client::nodes::{NodeFilter, Ordering};
use capstan_proto::convert::client_nodes::Asked;
use capstan_proto::wire::client as wire;
use capstan_types::orders::AtDeadline;
use std::time::Duration;
use tonic::Streaming;

impl Requests {
    pub(in crate::client) async fn list_nodes(&mut self, filter: NodeFilter) -> Result<wire::ListNodesResponse, ClientError> {
        let request = wire::ListNodesRequest { selector: filter.selector, node_ids: filter.names };
        within("list its nodes", ASK_DEADLINE, self.nodes.list(request)).await
    }

    pub(in crate::client) async fn order_node(
        &mut self,
        node: &str,
        asked: Asked,
        ordering: &Ordering,
    ) -> Result<bool, ClientError> {
        let request = wire::OrderNodeRequest {
            node_id: node.to_owned(),
            by: ordering.by.to_string(),
            reason: ordering.reason.clone().unwrap_or_default(),
            change: Some(asked.into()),
        };
        within("take the order", ASK_DEADLINE, self.nodes.order(request)).await.map(|answer| !answer.unchanged)
    }

    pub(in crate::client) async fn drain_node(
        &mut self,
        node: &str,
        (within_time, then): (Option<Duration>, AtDeadline),
        ordering: &Ordering,
    ) -> Result<Streaming<wire::DrainProgress>, ClientError> {
        let request = wire::DrainNodeRequest {
            node_id: node.to_owned(),
            by: ordering.by.to_string(),
            reason: ordering.reason.clone().unwrap_or_default(),
            within_ms: within_time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            then: wire::DrainThen::from(then).into(),
        };
        within("begin the drain", ASK_DEADLINE, self.nodes.drain(request)).await
    }

    pub(in crate::client) async fn events(
        &mut self,
        filter: NodeFilter,
        since_ms: u64,
        follow: bool,
    ) -> Result<Streaming<wire::EventsResponse>, ClientError> {
        let request = wire::EventsRequest { since_ms, follow, selector: filter.selector, node_ids: filter.names };
        within("tell events", ASK_DEADLINE, self.nodes.events(request)).await
    }
}
