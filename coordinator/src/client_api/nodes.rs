//! Nodes, for operators: how they are, what is ordered for them, how far a drain is, what happened.

use crate::clock;
use crate::drain::Drains;
use crate::nodes::events::{Events, Place, Wanted};
use crate::nodes::pool::PoolMsg;
use crate::nodes::vitals;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_proto::convert::client_nodes::{Asked, asked, event_filter, given};
use capstan_proto::protocol;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::nodes_server::Nodes as Service;
use capstan_registry::{Registry, RegistryError};
use capstan_runtime::actors::ask::ask;
use capstan_types::id::NodeId;
use capstan_types::node::NodeAddress;
use capstan_types::node_status::{DrainProgress, DrainStage, NodeStatus, Told};
use capstan_types::orders::{AtDeadline, Change, Closed, Drain, Given, Ordered, Unchanged};
use capstan_types::selector::Selector;
use capstan_types::time::{Millis, UnixMillis};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// The longest that a node of this process may take to say how it is.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(2);

/// How long a drain that says nothing new is told anyhow.
const SAY_AGAIN: Duration = Duration::from_secs(2);

/// Serves nodes.
#[derive(Debug, Clone)]
pub struct NodesService {
    pub(crate) threads: Threads,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) events: Events,
    pub(crate) drains: Drains,
}

impl NodesService {
    async fn statuses(&self) -> Result<Vec<NodeStatus>, Status> {
        let mut all = ask(&self.threads.pool, ASK_DEADLINE, PoolMsg::Statuses).await.map_err(unavailable)?;
        self.describe_own(&mut all).await;
        Ok(all)
    }

    /// Nodes of this process have no heartbeats: they are asked when somebody wants to know.
    async fn describe_own(&self, all: &mut [NodeStatus]) {
        let embedded = NodeAddress::Embedded.to_string();
        for status in all.iter_mut().filter(|status| status.life.as_ref().is_some_and(|life| life.address == embedded)) {
            let id = status.id.clone();
            let Ok(Some(link)) = ask(&self.threads.pool, ASK_DEADLINE, |reply| PoolMsg::Link(id, reply)).await else { continue };
            let (mut node, asked) = (link.describer(), Instant::now());
            let answer = tokio::time::timeout(DESCRIBE_DEADLINE, node.describe(capstan_proto::wire::node::DescribeRequest {}));
            if let Ok(Ok(answer)) = answer.await {
                let seen = vitals::of(answer.into_inner(), asked);
                status.load = seen.vitals.load.map(|load| (load, Millis::of(seen.at.elapsed())));
                status.life.iter_mut().for_each(|life| life.version.clone_from(&seen.vitals.version));
            }
        }
    }

    async fn status(&self, node: &NodeId) -> Result<NodeStatus, Status> {
        let all = self.statuses().await?;
        named(all, std::slice::from_ref(node))?.pop().ok_or_else(|| Status::not_found(node.to_string()))
    }

    async fn order(&self, node: &NodeId, change: &Change, given: &Given) -> Result<bool, Status> {
        match self.registry.order(node, change, given).await {
            Ok(_) => Ok(true),
            Err(RegistryError::Unchanged(Unchanged::Already)) => Ok(false),
            Err(RegistryError::Unchanged(why)) => Err(Status::failed_precondition(format!("node {node}: {why}"))),
            Err(error @ RegistryError::Record(_)) => Err(Status::failed_precondition(error.to_string())),
            Err(error) => Err(Status::unavailable(error.to_string())),
        }
    }

    /// The order of the drain that is under way, when this coordinator's drainer has begun with it.
    async fn begun(&self, node: &NodeId) -> Option<(Ordered<Closed>, watch::Receiver<Option<DrainProgress>>)> {
        let mut orders = self.registry.orders().await;
        let until = Instant::now() + ASK_DEADLINE;
        loop {
            let order = orders.borrow_and_update().get(node).and_then(|orders| orders.draining().map(|(_, order)| order.clone()));
            let order = order?;
            if let Some(progress) = self.drains.of(node, &order) {
                return Some((order, progress));
            }
            if Instant::now() > until {
                return None;
            }
            // The drainer hears of the order at the same time.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Those of these names, each of which must be there; all when none is named.
fn named(all: Vec<NodeStatus>, names: &[NodeId]) -> Result<Vec<NodeStatus>, Status> {
    if let Some(missing) = names.iter().find(|name| all.iter().all(|status| status.id != **name)) {
        let known: Vec<&str> = all.iter().take(20).map(|status| status.id.as_str()).collect();
        let more = if all.len() > 20 { format!(", and {} more", all.len() - 20) } else { String::new() };
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Status::not_found(format!("there is no node {missing}; the nodes are: {known}{more}")));
    }
    Ok(all.into_iter().filter(|status| names.is_empty() || names.contains(&status.id)).collect())
}

fn matching(all: Vec<NodeStatus>, selector: &Selector) -> Vec<NodeStatus> {
    let labels = |status: &NodeStatus| status.labels.iter().map(|(key, label)| (key.clone(), label.value.clone())).collect();
    all.into_iter().filter(|status| selector.matches(&labels(status))).collect()
}

fn change(asked: Asked, status: &NodeStatus) -> Change {
    let own = |key: &str| {
        let label = status.labels.get(key).filter(|label| !label.by_operator).map(|label| label.value.clone());
        label.or_else(|| status.hidden.get(key).cloned())
    };
    match asked {
        Asked::Label(key, value, overwrite) => {
            let own = own(key.as_str());
            Change::Label { key, value, own, overwrite }
        }
        Asked::Unlabel(key) => {
            let own = own(key.as_str()).is_some();
            Change::Unlabel { key, own }
        }
        Asked::Taint(taint) => Change::Taint(taint),
        Asked::Untaint(key, effect) => Change::Untaint(key, effect),
        Asked::Cordon => Change::Cordon,
        Asked::Uncordon => Change::Uncordon,
    }
}

#[tonic::async_trait]
impl Service for NodesService {
    type DrainStream = BoxStream<'static, Result<wire::DrainProgress, Status>>;
    type EventsStream = BoxStream<'static, Result<wire::EventsResponse, Status>>;

    async fn list(&self, request: Request<wire::ListNodesRequest>) -> Result<Response<wire::ListNodesResponse>, Status> {
        let request = request.into_inner();
        let selector = request.selector.parse().map_err(|error| Status::invalid_argument(format!("{error}")))?;
        let names = request.node_ids.iter().map(|id| node_id(id)).collect::<Result<Vec<_>, _>>()?;
        let nodes = matching(named(self.statuses().await?, &names)?, &selector);
        let stale = self.registry.standing().stale.map(|stale| stale.to_string()).unwrap_or_default();
        let nodes = nodes.into_iter().map(Into::into).collect();
        Ok(Response::new(wire::ListNodesResponse { nodes, protocol: protocol::CURRENT, stale }))
    }

    async fn order(&self, request: Request<wire::OrderNodeRequest>) -> Result<Response<wire::OrderNodeResponse>, Status> {
        let request = request.into_inner();
        let (node, given) = (node_id(&request.node_id)?, given(&request.by, request.reason, clock::now())?);
        let change = change(asked(request.change)?, &self.status(&node).await?);
        let changed = self.order(&node, &change, &given).await?;
        Ok(Response::new(wire::OrderNodeResponse { unchanged: !changed }))
    }

    async fn drain(&self, request: Request<wire::DrainNodeRequest>) -> Result<Response<Self::DrainStream>, Status> {
        let request = request.into_inner();
        let then: AtDeadline = request.then().into();
        let now = clock::now();
        let (node, given) = (node_id(&request.node_id)?, given(&request.by, request.reason, now)?);
        self.status(&node).await?;
        let deadline = request.within_ms.map(|within| UnixMillis(now.0.saturating_add(within)));
        let drain = Drain { deadline, then, via: self.threads.name.clone() };
        self.order(&node, &Change::Drain(drain), &given).await?;
        let Some((order, progress)) = self.begun(&node).await else {
            return Err(Status::unavailable(format!(
                "the drain of node {node} was ordered, and does not begin; look at this coordinator's log"
            )));
        };
        tracing::info!(%node, by = %order.by, "a node is being drained");
        Ok(Response::new(told(progress, then)))
    }

    async fn events(&self, request: Request<wire::EventsRequest>) -> Result<Response<Self::EventsStream>, Status> {
        let request = request.into_inner();
        let (selector, nodes) = event_filter(&request)?;
        let place = self.events.from_the_beginning(Wanted { since: UnixMillis(request.since_ms), selector, nodes });
        let next = move |(events, mut place, follow, mut first): (Events, Place, bool, bool)| async move {
            loop {
                if !std::mem::take(&mut first) {
                    if !follow {
                        return None;
                    }
                    place.more().await;
                }
                let told = events.read(&mut place);
                if !told.is_empty() || !follow {
                    return Some((told, (events, place, follow, false)));
                }
            }
        };
        let batches = stream::unfold((self.events.clone(), place, request.follow, true), next);
        let told = batches.flat_map(|told: Vec<Told>| stream::iter(told.into_iter().map(|told| Ok(told.into()))));
        Ok(Response::new(told.boxed()))
    }
}

/// A drain as it is told, to its end.
fn told(
    progress: watch::Receiver<Option<DrainProgress>>,
    then: AtDeadline,
) -> BoxStream<'static, Result<wire::DrainProgress, Status>> {
    let next = move |state: Option<(watch::Receiver<Option<DrainProgress>>, bool)>| async move {
        let (mut progress, first) = state?;
        let newest = loop {
            if let Some(newest) = progress.borrow_and_update().clone().filter(|_| first) {
                break newest;
            }
            match tokio::time::timeout(SAY_AGAIN, progress.changed()).await {
                // A drain that was ordered anew is another one's.
                Ok(Err(_)) => {
                    let newest = progress.borrow().clone()?;
                    break DrainProgress {
                        stage: if newest.stage == DrainStage::Drained { newest.stage } else { DrainStage::CalledOff },
                        ..newest
                    };
                }
                Ok(Ok(())) | Err(_) => {
                    if let Some(newest) = progress.borrow_and_update().clone() {
                        break newest;
                    }
                }
            }
        };
        let is_last = match newest.stage {
            DrainStage::Drained | DrainStage::CalledOff => true,
            DrainStage::Overdue => then == AtDeadline::Tell,
            DrainStage::Waiting | DrainStage::Cancelling => false,
        };
        Some((Ok(newest.into()), (!is_last).then_some((progress, false))))
    };
    stream::unfold(Some((progress, true)), next).boxed()
}

fn node_id(text: &str) -> Result<NodeId, Status> {
    text.parse().map_err(|error: capstan_types::id::IdError| Status::invalid_argument(error.to_string()))
}

fn unavailable(error: impl ToString) -> Status {
    Status::unavailable(error.to_string())
}
