//! The pool: one link per living node, kept in step with the registry.
//!
//! An actor owns the links; a task of its own follows the registry and tells it what changed, so that the mailbox is never blocked.

use super::heartbeat::Heartbeat;
use super::link::NodeLink;
use super::pulse::LinkState;
use super::remote::StaticNode;
use crate::placement::view::{NodeRoom, View};
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::PipeConnector;
use capstan_registry::{NodeEvent, Registry, Standing};
use capstan_types::id::NodeId;
use capstan_types::node::{NodeAddress, NodeRecord};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What the pool is asked and told.
#[derive(Debug)]
pub enum PoolMsg {
    /// The registry said something.
    Heard(NodeEvent),
    /// Say what nodes there are, for placement.
    View(RpcReplyPort<View>),
    /// Give the links to all nodes.
    Links(RpcReplyPort<Vec<NodeLink>>),
    /// Give the link to a node.
    Link(NodeId, RpcReplyPort<Option<NodeLink>>),
}

/// How the nodes are reached.
#[derive(Debug)]
pub struct PoolArguments {
    /// Who knows the nodes.
    pub registry: Arc<dyn Registry>,
    /// Nodes in this process.
    pub pipes: Vec<(NodeId, PipeConnector)>,
    /// Nodes named by address, for their tokens.
    pub nodes: Vec<StaticNode>,
    /// What makes this coordinator a member of its nodes' cluster.
    pub membership: Option<Membership>,
    /// What lets one into the nodes that the registry knows otherwise.
    pub token: Option<Token>,
}

/// The pool.
#[derive(Debug)]
pub struct NodePool;

/// What the pool holds.
#[derive(Debug)]
pub struct PoolState {
    links: BTreeMap<NodeId, Held>,
    pipes: HashMap<NodeId, PipeConnector>,
    nodes: Vec<StaticNode>,
    membership: Option<Membership>,
    token: Option<Token>,
    registry: Arc<dyn Registry>,
    // Dropped with the actor, so that nothing follows the registry for a pool that is gone.
    _follower: JoinSet<()>,
}

/// A link, and whether the node at its other end answers.
#[derive(Debug)]
struct Held {
    link: NodeLink,
    /// None for a node in this process.
    heartbeat: Option<Heartbeat>,
}

impl Held {
    fn over(link: NodeLink) -> Self {
        let record = link.record();
        let asked = link.clone();
        let heartbeat =
            (record.address != NodeAddress::Embedded).then(|| Heartbeat::begin(record.id.clone(), move || asked.describer()));
        Self { heartbeat, link }
    }

    fn is_silent(&self) -> bool {
        self.heartbeat.as_ref().is_some_and(|heartbeat| heartbeat.state().0 == LinkState::Silent)
    }

    fn room(&self, standing: &Standing) -> NodeRoom {
        let room = NodeRoom::of(self.link.record(), standing);
        NodeRoom { suspect: room.suspect || self.is_silent(), ..room }
    }
}

impl Actor for NodePool {
    type Msg = PoolMsg;
    type State = PoolState;
    type Arguments = PoolArguments;

    async fn pre_start(&self, me: ActorRef<PoolMsg>, given: PoolArguments) -> Result<PoolState, ActorProcessingErr> {
        let mut follower = JoinSet::new();
        follower.spawn(follow(Arc::clone(&given.registry), me));
        let pipes = given.pipes.into_iter().collect();
        let (links, registry) = (BTreeMap::new(), given.registry);
        let (nodes, token, membership) = (given.nodes, given.token, given.membership);
        Ok(PoolState { links, pipes, nodes, token, membership, registry, _follower: follower })
    }

    async fn handle(&self, _: ActorRef<PoolMsg>, message: PoolMsg, state: &mut PoolState) -> Result<(), ActorProcessingErr> {
        match message {
            PoolMsg::Heard(NodeEvent::Resync(records)) => {
                // A link whose node is as it was keeps its connection.
                state.links.retain(|_, held| records.contains(held.link.record()));
                records.into_iter().for_each(|record| state.join(record));
            }
            PoolMsg::Heard(NodeEvent::Joined(record)) => state.join(record),
            PoolMsg::Heard(NodeEvent::Left(id, generation)) => {
                state.links.retain(|_, held| held.link.record().id != id || held.link.record().generation > generation);
            }
            PoolMsg::View(reply) => {
                let standing = state.registry.standing();
                let rooms = state.links.values().map(|held| held.room(&standing)).collect();
                let _ = reply.send(View { nodes: rooms, stale: standing.stale });
            }
            PoolMsg::Links(reply) => {
                let _ = reply.send(state.links.values().map(|held| held.link.clone()).collect());
            }
            PoolMsg::Link(id, reply) => {
                let _ = reply.send(state.links.get(&id).map(|held| held.link.clone()));
            }
        }
        super::metrics::known(state.links.len());
        Ok(())
    }
}

impl PoolState {
    fn join(&mut self, record: NodeRecord) {
        let id = record.id.clone();
        if self.links.get(&id).is_some_and(|held| *held.link.record() == record) {
            return;
        }
        if let Some(link) = self.link(record) {
            self.links.insert(id, Held::over(link));
        }
    }

    fn link(&self, record: NodeRecord) -> Option<NodeLink> {
        if record.address == NodeAddress::Embedded {
            return self.pipes.get(&record.id).map(|pipe| NodeLink::by_pipe(record.clone(), pipe));
        }
        let named = self.nodes.iter().find(|node| node.address == record.address);
        let token = named.map_or_else(|| self.token.clone(), |node| node.token.clone());
        let id = record.id.clone();
        NodeLink::by_address(record, token, self.membership.as_ref())
            .inspect_err(|error| tracing::warn!(node = %id, %error, "a registered node has no usable address"))
            .ok()
    }
}

async fn follow(registry: Arc<dyn Registry>, pool: ActorRef<PoolMsg>) {
    let mut watch = registry.watch().await;
    while pool.cast(PoolMsg::Heard(watch.next().await)).is_ok() {}
}
