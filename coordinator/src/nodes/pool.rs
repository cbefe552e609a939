//! The pool: one link per living node, kept in step with the registry.
//!
//! An actor owns the links; a task of its own follows the registry and tells it what changed, so that the mailbox is never blocked.

mod come_and_go;
mod desk;
mod look;
mod reserved;
mod status;

use super::board::Board;
use super::dialed::DialedWay;
use super::doorway::Doorway;
use super::events::Events;
use super::heartbeat::Heartbeat;
use super::link::NodeLink;
use super::link::lives::Lives;
use super::remote::StaticNode;
use crate::placement::facts::Freshness;
use crate::placement::gather::gather;
use crate::placement::need::Need;
use crate::placement::no_place::NoPlace;
use crate::placement::reservations::Activity;
use capstan_identity::membership::Membership;
use capstan_proto::protocol::Skew;
use capstan_proto::token::Token;
use capstan_proto::transport::PipeConnector;
use capstan_registry::{AllOrders, NodeEvent, Registry};
use capstan_types::hosts::{HostsAsked, ThreadHost};
use capstan_types::id::{Generation, NodeId, ThreadId};
use capstan_types::node::NodeRecord;
use capstan_types::node_status::NodeStatus;
use capstan_types::placement::{Choice, PlacementSettings};
use capstan_types::policy::Level;
pub(crate) use desk::PATIENCE;
use desk::{Answer, Desk, Given};
pub use desk::{InLine, Ticket};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
pub use reserved::Reserved;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What the pool is asked and told.
#[derive(Debug)]
pub enum PoolMsg {
    /// The registry said something.
    Heard(NodeEvent),
    /// A thread runs sessions now, or waits for its model.
    Activity(ThreadId, Activity),
    /// A node has called, and is reached so.
    Dialed(Box<NodeRecord>, DialedWay),
    /// This life of a node that had called is gone.
    Undialed(NodeId, Generation),
    /// This is what operators have ordered.
    Ordered(Arc<AllOrders>),
    /// It is time to look at all nodes, and at those who wait: their time may be over, and a node may answer again that did not.
    Look,
    /// Say how all nodes are, and those for which something is ordered.
    Statuses(RpcReplyPort<Vec<NodeStatus>>),
    /// A node that is there answered, and is in another life than was known.
    Answered(NodeRecord),
    /// Choose a node for a thread's workspace, and reserve there what it needs. When all are full, the answer comes when one has room, or after
    /// as long as the desk lets one wait.
    Place(ThreadId, Box<Need>, Reply),
    /// Give back what a thread's workspace held. Without effect when it held nothing.
    GiveBack(ThreadId, Ticket),
    /// Say how a thread waits for room, if it does.
    InLine(ThreadId, RpcReplyPort<Option<InLine>>),
    /// Give the links to all nodes.
    Links(RpcReplyPort<Vec<NodeLink>>),
    /// Say which hosts a thread may use that asks for these, and demands this of a sandbox.
    Gather(HostsAsked, Box<PlacementSettings>, Level, RpcReplyPort<Result<Vec<ThreadHost>, NoPlace>>),
    /// Say how these nodes are, each if it is there.
    Sights(Vec<NodeId>, RpcReplyPort<Vec<Option<NodeSight>>>),
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
    /// What is reserved there. Dropping it gives that back.
    pub reserved: Reserved,
}

/// A node as it is now.
#[derive(Debug)]
pub struct NodeSight {
    /// What it says of itself.
    pub record: NodeRecord,
    /// The largest share of anything that is in use, in thousandths.
    pub load: u16,
    /// Whether it does not answer, or is in doubt.
    pub is_silent: bool,
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
    /// What operators have ordered until now.
    pub orders: Arc<AllOrders>,
    /// Who is told what happens.
    pub events: Events,
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
    /// What those hear who hold a link to an earlier life.
    lives: Lives,
    /// Those of nodes of other processes.
    heartbeats: BTreeMap<NodeId, Heartbeat>,
    desk: Desk<Reply>,
    start: Instant,
    pipes: HashMap<NodeId, PipeConnector>,
    nodes: Vec<StaticNode>,
    membership: Option<Membership>,
    token: Option<Token>,
    registry: Arc<dyn Registry>,
    /// The nodes that were in doubt when that was looked at last.
    suspects: BTreeSet<NodeId>,
    /// Nodes that are registered and not used, since their protocol is too far from ours.
    skewed: BTreeMap<NodeId, Skew>,
    orders: Arc<AllOrders>,
    /// The doors of all nodes that were ever there.
    doors: HashMap<NodeId, Doorway>,
    board: Board,
    events: Events,
    /// Whether the registry answered when that was looked at last.
    answers: bool,
    // Dropped with the actor, so that nothing follows the registry for a pool that is gone.
    _follower: JoinSet<()>,
}

impl Actor for NodePool {
    type Msg = PoolMsg;
    type State = PoolState;
    type Arguments = PoolArguments;

    async fn pre_start(&self, me: ActorRef<PoolMsg>, given: PoolArguments) -> Result<PoolState, ActorProcessingErr> {
        let mut follower = JoinSet::new();
        follower.spawn(follow(Arc::clone(&given.registry), me.clone()));
        follower.spawn(follow_orders(Arc::clone(&given.registry), me.clone()));
        me.send_after(look::EVERY, || PoolMsg::Look);
        let pipes = given.pipes.into_iter().collect();
        let mut state = PoolState {
            links: BTreeMap::new(),
            dialed: BTreeSet::new(),
            lives: Lives::default(),
            heartbeats: BTreeMap::new(),
            desk: Desk::default(),
            start: Instant::now(),
            pipes,
            nodes: given.nodes,
            token: given.token,
            membership: given.membership,
            registry: given.registry,
            suspects: BTreeSet::new(),
            skewed: BTreeMap::new(),
            orders: Arc::default(),
            doors: HashMap::new(),
            board: Board::default(),
            events: given.events,
            answers: true,
            _follower: follower,
        };
        state.obey(given.orders);
        Ok(state)
    }

    async fn handle(&self, me: ActorRef<PoolMsg>, message: PoolMsg, state: &mut PoolState) -> Result<(), ActorProcessingErr> {
        match message {
            PoolMsg::Heard(NodeEvent::Resync(records)) => {
                state.keep(&records);
                records.into_iter().for_each(|record| state.join(&me, record));
                state.serve(&me);
            }
            PoolMsg::Heard(NodeEvent::Joined(record)) => {
                state.join(&me, record);
                state.serve(&me);
            }
            PoolMsg::Heard(NodeEvent::Left(id, generation)) => state.left(&id, generation),
            PoolMsg::Activity(thread, activity) => {
                state.desk.view.set_activity(thread, activity);
                if activity == Activity::Thinks {
                    state.serve(&me);
                }
            }
            PoolMsg::Dialed(record, way) => {
                state.dialed.insert(record.id.clone());
                let door = state.doors.get(&record.id).cloned().unwrap_or_default();
                state.put(&me, NodeLink::dialed(*record, way).through(door));
                state.serve(&me);
            }
            PoolMsg::Undialed(id, generation) => {
                state.dialed.remove(&id);
                state.left(&id, generation);
            }
            // One that has left meanwhile comes back by the registry.
            PoolMsg::Answered(record) if state.links.contains_key(&record.id) => {
                state.join(&me, record);
                state.serve(&me);
            }
            PoolMsg::Answered(_) => {}
            PoolMsg::Ordered(orders) => {
                state.obey(orders);
                state.serve(&me);
            }
            PoolMsg::Look => {
                state.look();
                state.look_again(&me);
                me.send_after(look::EVERY, || PoolMsg::Look);
            }
            PoolMsg::Statuses(reply) => {
                state.look();
                let _ = reply.send(state.statuses());
            }
            PoolMsg::Place(thread, need, reply) => {
                state.place(&me, thread, *need, reply);
            }
            PoolMsg::GiveBack(thread, ticket) => {
                if state.desk.give_back(thread, ticket) {
                    state.serve(&me);
                }
            }
            PoolMsg::InLine(thread, reply) => {
                let _ = reply.send(state.desk.in_line(thread, state.now()));
            }
            PoolMsg::Links(reply) => {
                let _ = reply.send(state.links.values().cloned().collect());
            }
            PoolMsg::Gather(asked, settings, level, reply) => {
                let stale = state.stale();
                let gathered =
                    stale.map_or_else(|| gather(&state.desk.view, &asked, &settings, level), |stale| Err(NoPlace::Stale(stale)));
                let _ = reply.send(gathered);
            }
            PoolMsg::Sights(names, reply) => {
                state.stale();
                let _ = reply.send(names.iter().map(|name| state.sight(name)).collect());
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
    fn place(&mut self, me: &ActorRef<PoolMsg>, thread: ThreadId, need: Need, reply: Reply) {
        if let Some(why) = self.doubt(&need) {
            self.answer(me, [(reply, Err(why))]);
            return;
        }
        let now = self.now();
        match self.desk.ask(thread, need, reply, now) {
            Some(answer) => self.answer(me, [answer]),
            None => self.serve(me),
        }
    }

    /// Nothing is heard when a silent node answers again or the registry does, so those who wait are looked at with every look.
    fn look_again(&mut self, me: &ActorRef<PoolMsg>) {
        self.serve(me);
        let over = self.desk.expire(self.now());
        self.answer(me, over);
        // Whom they waited behind may have gone.
        self.serve(me);
    }

    fn sight(&self, id: &NodeId) -> Option<NodeSight> {
        let load = self.desk.view.place(id).map_or(0, |place| self.desk.view.room(place).load);
        let record = NodeRecord { labels: self.labels(id).as_ref().clone(), ..self.links.get(id)?.record().clone() };
        Some(NodeSight { record, load, is_silent: self.suspects.contains(id) })
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn answer(&self, me: &ActorRef<PoolMsg>, answers: impl IntoIterator<Item = (Reply, Answer)>) {
        for (reply, answer) in answers {
            let placed = answer.and_then(|Given { thread, choice, ticket }| {
                let reserved = Reserved::new(me.clone(), thread, ticket);
                let link = self.links.get(&choice.node).cloned().ok_or(NoPlace::NoNodes)?;
                Ok(Placed { choice, link, reserved })
            });
            if let Err(why) = &placed {
                self.tell_not_placed(why);
            }
            // Whoever asked may have gone: what is reserved is given back with the answer.
            let _ = reply.send(placed);
        }
    }

    /// There may be room for some who wait.
    fn serve(&mut self, me: &ActorRef<PoolMsg>) {
        if self.desk.waiting() > 0 && self.stale().is_none() {
            let now = self.now();
            let served = self.desk.serve(now);
            self.answer(me, served);
        }
    }
}

fn freshness(suspects: &BTreeSet<NodeId>, id: &NodeId) -> Freshness {
    if suspects.contains(id) { Freshness::Suspect } else { Freshness::Fresh }
}

async fn follow_orders(registry: Arc<dyn Registry>, pool: ActorRef<PoolMsg>) {
    let mut orders = registry.orders().await;
    loop {
        let newest = Arc::clone(&orders.borrow_and_update());
        if pool.cast(PoolMsg::Ordered(newest)).is_err() || orders.changed().await.is_err() {
            return;
        }
    }
}

async fn follow(registry: Arc<dyn Registry>, pool: ActorRef<PoolMsg>) {
    let mut watch = registry.watch().await;
    while pool.cast(PoolMsg::Heard(watch.next().await)).is_ok() {}
}

#[cfg(test)]
mod tests;
