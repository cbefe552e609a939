//! Nodes, as a coordinator shows them to operators.

use super::Client;
use super::error::ClientError;
use capstan_proto::convert::client_nodes::{Asked, told};
use capstan_proto::wire::client as wire;
use capstan_types::node_status::{DrainProgress, NodeStatus, Told};
use capstan_types::operator::Person;
use capstan_types::orders::AtDeadline;
use std::time::Duration;
use tonic::Streaming;

/// What a coordinator knows of its nodes.
#[derive(Debug, Clone)]
pub struct AllNodes {
    /// The nodes, by name.
    pub nodes: Vec<NodeStatus>,
    /// Why nothing new is placed now, if that is so.
    pub stale: Option<String>,
}

/// Which nodes, or whose events, are asked for. Empty means all.
#[derive(Debug, Clone, Default)]
pub struct NodeFilter {
    /// Those of these names.
    pub names: Vec<String>,
    /// Those with such labels.
    pub selector: String,
}

/// Who orders something, and why.
#[derive(Debug, Clone)]
pub struct Ordering {
    /// Who.
    pub by: Person,
    /// Why.
    pub reason: Option<String>,
}

impl Client {
    /// The nodes that pass the filter.
    ///
    /// # Errors
    /// One that is named is not there, or the coordinator does not answer. It is asked once.
    pub async fn nodes(&mut self, filter: NodeFilter) -> Result<AllNodes, ClientError> {
        let answer = self.requests.list_nodes(filter).await?;
        let nodes = answer.nodes.into_iter().map(NodeStatus::try_from).collect::<Result<_, _>>()?;
        Ok(AllNodes { nodes, stale: Some(answer.stale).filter(|stale| !stale.is_empty()) })
    }

    /// Orders something for a node; whether that changed anything.
    ///
    /// # Errors
    /// It cannot be ordered, or the coordinator does not answer. It is asked once.
    pub async fn order(&mut self, node: &str, asked: Asked, ordering: &Ordering) -> Result<bool, ClientError> {
        self.requests.order_node(node, asked, ordering).await
    }

    /// Drains a node.
    ///
    /// # Errors
    /// As [`Client::order`].
    pub async fn drain(
        &mut self,
        node: &str,
        within: Option<Duration>,
        then: AtDeadline,
        ordering: &Ordering,
    ) -> Result<DrainStream, ClientError> {
        Ok(DrainStream(self.requests.drain_node(node, (within, then), ordering).await?))
    }

    /// What happened, and with `follow` what happens.
    ///
    /// # Errors
    /// As [`Client::nodes`].
    pub async fn node_events(&mut self, filter: NodeFilter, since_ms: u64, follow: bool) -> Result<EventStream, ClientError> {
        Ok(EventStream(self.requests.events(filter, since_ms, follow).await?))
    }
}

/// How far a drain is.
#[derive(Debug)]
pub struct DrainStream(Streaming<wire::DrainProgress>);

impl DrainStream {
    /// The next news; `None` after the last. Dropping the future loses none.
    ///
    /// # Errors
    /// The connection is lost. The drain goes on.
    pub async fn next(&mut self) -> Result<Option<DrainProgress>, ClientError> {
        let message = self.0.message().await?;
        Ok(message.map(DrainProgress::try_from).transpose()?)
    }
}

/// What happens.
#[derive(Debug)]
pub struct EventStream(Streaming<wire::EventsResponse>);

impl EventStream {
    /// The next event; `None` after the last. Dropping the future loses none.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn next(&mut self) -> Result<Option<Told>, ClientError> {
        Ok(self.0.message().await?.map(told).transpose()?)
    }
}
