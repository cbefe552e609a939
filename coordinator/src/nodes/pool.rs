//! The pool: one link per living node, kept in step with the registry.
//!
//! An actor owns the links; a task of its own follows the registry and tells it what changed, so that the mailbox is never blocked.

mod desk;
mod reserved;

use super::heartbeat::{Heartbeat, Told};
use super::link::NodeLink;
use super::pulse::LinkState;
use super::remote::StaticNode;
use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::gather::gather;
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use crate::placement::reservations::Activity;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::PipeConnector;
use capstan_registry::{NodeEvent, Registry, Stale, Standing};
use capstan_types::hosts::{HostsAsked, ThreadHost};
use capstan_types::id::{Generation, NodeId, ThreadId};
use capstan_types::node::{NodeAddress, NodeRecord};
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

/// How often those who wait are looked at, if nothing else gives a reason to.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the pool is asked and told.
#[derive(Debug)]
pub enum PoolMsg {
    /// The registry said something.
    Heard(NodeEvent),
    /// A node told how much it has in use.
    Told(NodeId, Told),
    /// A thread runs sessions now, or waits for its model.
    Activity(ThreadId, Activity),
    /// Choose a node for a thread's workspace, and reserve there what it needs. When all are full, the answer comes when one has room, or after
    /// as long as the desk lets one wait.
    Place(ThreadId, Box<Need>, Reply),
    /// Give back what a thread's workspace held. Without effect when it held nothing.
    GiveBack(ThreadId, Ticket),
    /// Say how a thread waits for room, if it does.
    InLine(ThreadId, RpcReplyPort<Option<InLine>>),
    /// Look at those who wait: their time may be over, and a node may answer again that did not.
    LookAgain,
    /// Say which nodes there are.
    Names(RpcReplyPort<Vec<NodeId>>),
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
}

/// The pool.
#[derive(Debug)]
pub struct NodePool;

/// What the pool holds.
#[derive(Debug)]
pub struct PoolState {
    links: BTreeMap<NodeId, NodeLink>,
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
    /// Whether a look at those who wait is on its way. One at a time, however many they are.
    is_looking: bool,
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
            heartbeats: BTreeMap::new(),
            desk: Desk::default(),
            start: Instant::now(),
            pipes,
            nodes: given.nodes,
            token: given.token,
            membership: given.membership,
            registry: given.registry,
            suspects: BTreeSet::new(),
            is_looking: false,
            _follower: follower,
        })
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
            PoolMsg::Told(node, told) => state.told(&node, told),
            PoolMsg::Activity(thread, activity) => {
                state.desk.view.set_activity(thread, activity);
                if activity == Activity::Thinks {
                    state.serve(&me);
                }
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
            PoolMsg::LookAgain => state.look_again(&me),
            PoolMsg::Names(reply) => {
                let _ = reply.send(state.links.keys().cloned().collect());
            }
            PoolMsg::Links(reply) => {
                let _ = reply.send(state.links.values().cloned().collect());
            }
            PoolMsg::Gather(asked, settings, level, reply) => {
                let stale = state.doubt();
                let gathered =
                    stale.map_or_else(|| gather(&state.desk.view, &asked, &settings, level), |stale| Err(NoPlace::Stale(stale)));
                let _ = reply.send(gathered);
            }
            PoolMsg::Sights(names, reply) => {
                let _ = state.doubt();
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
    fn join(&mut self, me: &ActorRef<PoolMsg>, record: NodeRecord) {
        if self.links.get(&record.id).is_some_and(|link| *link.record() == record) {
            return;
        }
        let mut facts = NodeFacts::of(&record);
        facts.freshness = freshness(&self.suspects, &facts.id);
        if let Some(link) = self.link(record) {
            if link.record().address == NodeAddress::Embedded {
                self.heartbeats.remove(&facts.id);
            } else {
                let (asked, pool, id) = (link.clone(), me.clone(), facts.id.clone());
                // It fails only when the coordinator is stopping.
                let told = move |told| _ = pool.cast(PoolMsg::Told(id.clone(), told));
                self.heartbeats.insert(facts.id.clone(), Heartbeat::begin(facts.id.clone(), move || asked.describer(), told));
            }
            self.links.insert(facts.id.clone(), link);
            self.desk.view.put(facts);
        }
    }

    /// What is free of a disk may be less than what was there and is not reserved: others write too.
    fn told(&mut self, id: &NodeId, told: Told) {
        let Some(facts) = self.desk.view.place(id).and_then(|place| self.desk.view.facts(place)).cloned() else { return };
        let mut capacity = facts.capacity.clone();
        if let (Some(free), Some(link)) = (told.disk_free, self.links.get(id)) {
            let reserved = self.desk.view.in_use(id).resources.disk_bytes;
            capacity.disk_bytes = link.record().stock.disk_bytes.min(free.saturating_add(reserved));
        }
        self.desk.view.put(NodeFacts { busy: told.busy, capacity, ..facts });
    }

    /// Keeps the nodes that are as they were, with their connections, and takes the others out.
    fn keep(&mut self, records: &[NodeRecord]) {
        let gone: Vec<NodeId> =
            self.links.iter().filter(|(_, link)| !records.contains(link.record())).map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.links.remove(&id);
            self.heartbeats.remove(&id);
            self.desk.view.leave(&id);
        }
    }

    fn place(&mut self, me: &ActorRef<PoolMsg>, thread: ThreadId, need: Need, reply: Reply) {
        // A guess that is wrong costs more than a moment's wait; who is on a node already does not guess.
        if let Some(stale) = self.doubt().filter(|_| !matches!(need.wanted, Wanted::Held(_))) {
            let _ = reply.send(Err(NoPlace::Stale(stale)));
            return;
        }
        let now = self.now();
        match self.desk.ask(thread, need, reply, now) {
            Some(answer) => self.answer(me, [answer]),
            None => {
                self.serve(me);
                self.look_later(me);
            }
        }
    }

    /// Looks at how far the registry and the nodes may be believed. Why nothing new can be placed now, if that is so.
    fn doubt(&mut self) -> Option<Stale> {
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
        stale
    }

    /// Nothing is heard when a silent node answers again or the registry does, so those who wait are looked at every so often.
    fn look_later(&mut self, me: &ActorRef<PoolMsg>) {
        if self.desk.waiting() > 0 && !self.is_looking {
            self.is_looking = true;
            me.send_after(LOOK_EVERY, || PoolMsg::LookAgain);
        }
    }

    fn look_again(&mut self, me: &ActorRef<PoolMsg>) {
        self.is_looking = false;
        self.serve(me);
        let over = self.desk.expire(self.now());
        self.answer(me, over);
        self.look_later(me);
    }

    fn silent(&self) -> impl Iterator<Item = NodeId> {
        let silent = self.heartbeats.iter().filter(|(_, heartbeat)| heartbeat.state().0 == LinkState::Silent);
        silent.map(|(id, _)| id.clone())
    }

    fn left(&mut self, id: &NodeId, generation: Generation) {
        if self.links.get(id).is_some_and(|link| link.record().generation <= generation) {
            self.links.remove(id);
            self.heartbeats.remove(id);
            self.desk.view.leave(id);
        }
    }

    fn sight(&self, id: &NodeId) -> Option<NodeSight> {
        let load = self.desk.view.place(id).map_or(0, |place| self.desk.view.room(place).load);
        Some(NodeSight { record: self.links.get(id)?.record().clone(), load, is_silent: self.suspects.contains(id) })
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
            // Whoever asked may have gone: what is reserved is given back with the answer.
            let _ = reply.send(placed);
        }
    }

    /// There may be room for some who wait.
    fn serve(&mut self, me: &ActorRef<PoolMsg>) {
        if self.desk.waiting() > 0 && self.doubt().is_none() {
            let now = self.now();
            let served = self.desk.serve(now);
            self.answer(me, served);
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

#[cfg(test)]
mod tests;
