//! Nodes that come, begin another life, and go.

use super::{PoolMsg, PoolState, freshness};
use crate::nodes::heartbeat::Heartbeat;
use crate::nodes::link::NodeLink;
use crate::placement::facts::NodeFacts;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::{NodeAddress, NodeRecord};
use ractor::ActorRef;

impl PoolState {
    pub(super) fn join(&mut self, me: &ActorRef<PoolMsg>, record: NodeRecord) {
        let known = self.links.get(&record.id).is_some_and(|link| *link.record() == record);
        // Who has called another coordinator, and not this one, cannot be reached from here.
        if known || self.dialed.contains(&record.id) || matches!(record.address, NodeAddress::Dialed(_)) {
            return;
        }
        if let Some(link) = self.link(record) {
            self.put(me, link);
        }
    }

    pub(super) fn put(&mut self, me: &ActorRef<PoolMsg>, link: NodeLink) {
        let mut facts = self.ordered(NodeFacts::of(link.record()));
        facts.freshness = freshness(&self.suspects, &facts.id);
        let is_used = self.judge(link.record());
        let link = self.lives.say(&link);
        if link.record().address == NodeAddress::Embedded {
            self.heartbeats.remove(&facts.id);
        } else {
            let pool = me.clone();
            // It fails only when the coordinator is stopping.
            let heartbeat = Heartbeat::begin(link.clone(), move |found| drop(pool.cast(PoolMsg::Answered(found))));
            self.heartbeats.insert(facts.id.clone(), heartbeat);
        }
        self.tell_joined(link.record());
        self.links.insert(facts.id.clone(), link);
        if is_used {
            self.desk.view.put(facts);
        }
    }

    /// Keeps the nodes that are as they were, with their connections, and takes the others out.
    pub(super) fn keep(&mut self, records: &[NodeRecord]) {
        let gone = |(id, link): &(&NodeId, &NodeLink)| !records.contains(link.record()) && !self.dialed.contains(*id);
        let gone: Vec<NodeId> = self.links.iter().filter(gone).map(|(id, _)| id.clone()).collect();
        gone.iter().for_each(|id| self.forget(id));
    }

    pub(super) fn forget(&mut self, id: &NodeId) {
        self.tell_left(id);
        self.links.remove(id);
        self.heartbeats.remove(id);
        self.skewed.remove(id);
        self.board.forget(id);
        self.desk.view.leave(id);
    }

    pub(super) fn left(&mut self, id: &NodeId, generation: Generation) {
        let gone = self.links.get(id).is_some_and(|link| link.record().generation <= generation);
        if gone && !self.dialed.contains(id) {
            self.forget(id);
        }
    }

    pub(super) fn link(&self, record: NodeRecord) -> Option<NodeLink> {
        let door = self.doors.get(&record.id).cloned().unwrap_or_default();
        if record.address == NodeAddress::Embedded {
            return self.pipes.get(&record.id).map(|pipe| NodeLink::by_pipe(record.clone(), pipe).through(door));
        }
        let named = self.nodes.iter().find(|node| node.address == record.address);
        let token = named.map_or_else(|| self.token.clone(), |node| node.token.clone());
        let id = record.id.clone();
        NodeLink::by_address(record, token, self.membership.as_ref())
            .inspect_err(|error| tracing::warn!(node = %id, %error, "a registered node has no usable address"))
            .ok()
            .map(|link| link.through(door))
    }
}
