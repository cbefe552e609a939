//! The pool: one link per living node, kept in step with the registry.
//!
//! An actor owns the links; a task of its own follows the registry and tells it what changed, so that the mailbox is never blocked.

mod desk;

use super::dialed::DialedWay;
use super::heartbeat::Heartbeat;
use super::link::NodeLink;
use super::pulse::LinkState;
use super::remote::StaticNode;
use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::PipeConnector;
use capstan_registry::{NodeEvent, Registry, Standing};
use capstan_types::id::{Generation, NodeId, ThreadId};
use capstan_types::node::{NodeAddress, NodeRecord};
use capstan_types::placement::Choice;
pub(crate) use desk::PATIENCE;
pub use desk::Ticket;
use desk::{Answer, Desk, Given};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What the pool is asked and told.
#[derive(Debug)]
pub enum PoolMsg {
    /// The registry said something.
    Heard(NodeEvent),
    /// A node has called, and is reached so.
    Dialed(Box<NodeRecord>, DialedWay),
    /// This life of a node that had called is gone.
    Undialed(NodeId, Generation),
    /// Choose a node for a thread's workspace, and reserve there what it needs. When all are full, the answer comes when one has room, or after
    /// as long as the desk lets one wait.
    Place(ThreadId, Box<Need>, Reply),
    /// Give back what a thread's workspace held. Without effect when it held nothing.
    GiveBack(ThreadId, Ticket),
    /// The time of some who wait may be over.
    Waited,
    /// Say which nodes there are.
    Names(RpcReplyPort<Vec<NodeId>>),
    /// Give the links to all nodes.
    Links(RpcReplyPort<Vec<NodeLink>>),
    /// Give the link to a node.
    Link(NodeId, RpcReplyPort<Option<NodeLink>>),
}

/// A node that was chosen, and its link.
#[derive(Debug)]
pub struct Placed {
    /// The node, and why it.
    pub choice: Choice,
    /// What reaches it.
    pub link: NodeLink,
    /// Gives back what is reserved.
    pub ticket: Ticket,
}

/// The way back to whoever asks for a node.
type Reply = RpcReplyPort<Result<Placed, NoPlace>>;

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
    links: BTreeMap<NodeId, NodeLink>,
    /// Those of nodes that have called, which are there as long as their connections are, whatever the registry says.
    dialed: BTreeSet<NodeId>,
    /// Those of nodes of other processes.
    heartbeats: BTreeMap<NodeId, Heartbeat>,
    desk: Desk<Reply>,
    start: Instant,
    pipes: HashMap<NodeId, PipeConnector>,
    nodes: Vec<StaticNode>,
    membership: Option<Membership>,
    token: Option<Token>,
    registry: Arc<dyn Registry>,
    /// The nodes that were in doubt when somebody was placed last.
    suspects: BTreeSet<NodeId>,
    // Dropped with the actor, so that nothing follows the registry for a pool that is gone.
    _follower: JoinSet<()>,
}

impl Actor for NodePool {
    type Msg = PoolMsg;
    type State = PoolState;
    type Arguments = PoolArguments;

    async fn pre_start(&self, me: ActorRef<PoolMsg>, given: PoolArguments) -> Result<PoolState, ActorProcessingErr> {
        let mut follower = JoinSet::new();
        follower.spawn(follow(Arc::clone(&given.registry), me));
        let pipes = given.pipes.into_iter().collect();
        Ok(PoolState {
            links: BTreeMap::new(),
            dialed: BTreeSet::new(),
            heartbeats: BTreeMap::new(),
            desk: Desk::default(),
            start: Instant::now(),
            pipes,
            nodes: given.nodes,
            token: given.token,
            membership: given.membership,
            registry: given.registry,
            suspects: BTreeSet::new(),
            _follower: follower,
        })
    }

    async fn handle(&self, me: ActorRef<PoolMsg>, message: PoolMsg, state: &mut PoolState) -> Result<(), ActorProcessingErr> {
        match message {
            PoolMsg::Heard(NodeEvent::Resync(records)) => {
                state.keep(&records);
                records.into_iter().for_each(|record| state.join(record));
                state.serve();
            }
            PoolMsg::Heard(NodeEvent::Joined(record)) => {
                state.join(record);
                state.serve();
            }
            PoolMsg::Heard(NodeEvent::Left(id, generation)) => state.left(&id, generation),
            PoolMsg::Dialed(record, way) => {
                state.dialed.insert(record.id.clone());
                state.put(NodeLink::dialed(*record, way));
                state.serve();
            }
            PoolMsg::Undialed(id, generation) => {
                state.dialed.remove(&id);
                state.left(&id, generation);
            }
            PoolMsg::Place(thread, need, reply) => {
                if let Some(stale) = state.doubt(&need) {
                    let _ = reply.send(Err(stale));
                    return Ok(());
                }
                let now = state.now();
                match state.desk.ask(thread, *need, reply, now) {
                    Some(answer) => state.answer([answer]),
                    None => {
                        state.serve();
                        me.send_after(PATIENCE, || PoolMsg::Waited);
                    }
                }
            }
            PoolMsg::GiveBack(thread, ticket) => {
                if state.desk.give_back(thread, ticket) {
                    state.serve();
                }
            }
            PoolMsg::Waited => {
                let over = state.desk.expire(state.start.elapsed());
                state.answer(over);
            }
            PoolMsg::Names(reply) => {
                let _ = reply.send(state.links.keys().cloned().collect());
            }
            PoolMsg::Links(reply) => {
                let _ = reply.send(state.links.values().cloned().collect());
            }
            PoolMsg::Link(id, reply) => {
                let _ = reply.send(state.links.get(&id).cloned());
            }
        }
        super::metrics::known(state.links.len());
        Ok(())
    }
}

impl PoolState {
    fn join(&mut self, record: NodeRecord) {
        let known = self.links.get(&record.id).is_some_and(|link| *link.record() == record);
        // Who has called another coordinator, and not this one, cannot be reached from here.
        if known || self.dialed.contains(&record.id) || matches!(record.address, NodeAddress::Dialed(_)) {
            return;
        }
        if let Some(link) = self.link(record) {
            self.put(link);
        }
    }

    fn put(&mut self, link: NodeLink) {
        let mut facts = NodeFacts::of(link.record());
        facts.freshness = freshness(&self.suspects, &facts.id);
        if link.record().address == NodeAddress::Embedded {
            self.heartbeats.remove(&facts.id);
        } else {
            let asked = link.clone();
            self.heartbeats.insert(facts.id.clone(), Heartbeat::begin(facts.id.clone(), move || asked.describer()));
        }
        self.links.insert(facts.id.clone(), link);
        self.desk.view.put(facts);
    }

    /// Keeps the nodes that are as they were, with their connections, and takes the others out.
    fn keep(&mut self, records: &[NodeRecord]) {
        let gone = |(id, link): &(&NodeId, &NodeLink)| !records.contains(link.record()) && !self.dialed.contains(*id);
        let gone: Vec<NodeId> = self.links.iter().filter(gone).map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.links.remove(&id);
            self.heartbeats.remove(&id);
            self.desk.view.leave(&id);
        }
    }

    /// Looks at how far the registry may be believed. Why nothing can be placed now, if that is so.
    fn doubt(&mut self, need: &Need) -> Option<NoPlace> {
        let Standing { stale, mut suspects } = self.registry.standing();
        // Who is registered and does not answer is doubted as much.
        suspects.extend(self.silent());
        if suspects != self.suspects {
            let changed: Vec<NodeId> = self.suspects.symmetric_difference(&suspects).cloned().collect();
            self.suspects = suspects;
            for id in changed {
                if let Some(facts) = self.desk.view.place(&id).and_then(|place| self.desk.view.facts(place)).cloned() {
                    self.desk.view.put(NodeFacts { freshness: freshness(&self.suspects, &id), ..facts });
                }
            }
        }
        // A guess that is wrong costs more than a moment's wait; who is on a node already does not guess.
        stale.filter(|_| !matches!(need.wanted, Wanted::Held(_))).map(NoPlace::Stale)
    }

    fn silent(&self) -> impl Iterator<Item = NodeId> {
        let silent = self.heartbeats.iter().filter(|(_, heartbeat)| heartbeat.state().0 == LinkState::Silent);
        silent.map(|(id, _)| id.clone())
    }

    fn left(&mut self, id: &NodeId, generation: Generation) {
        let gone = self.links.get(id).is_some_and(|link| link.record().generation <= generation);
        if gone && !self.dialed.contains(id) {
            self.links.remove(id);
            self.heartbeats.remove(id);
            self.desk.view.leave(id);
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn answer(&self, answers: impl IntoIterator<Item = (Reply, Answer)>) {
        for (reply, answer) in answers {
            let placed = answer.and_then(|Given { choice, ticket }| {
                let link = self.links.get(&choice.node).cloned().ok_or(NoPlace::NoNodes)?;
                Ok(Placed { choice, link, ticket })
            });
            let _ = reply.send(placed);
        }
    }

    /// There may be room for some who wait.
    fn serve(&mut self) {
        if self.desk.waiting() > 0 && self.registry.standing().stale.is_none() {
            let now = self.now();
            let served = self.desk.serve(now);
            self.answer(served);
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

fn freshness(suspects: &BTreeSet<NodeId>, id: &NodeId) -> Freshness {
    if suspects.contains(id) { Freshness::Suspect } else { Freshness::Fresh }
}

async fn follow(registry: Arc<dyn Registry>, pool: ActorRef<PoolMsg>) {
    let mut watch = registry.watch().await;
    while pool.cast(PoolMsg::Heard(watch.next().await)).is_ok() {}
}
