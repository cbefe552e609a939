//! How the pool sees to what is ordered, and looks at its nodes every so often: who is in doubt, what is short, what has changed.

use super::{NodeLink, PoolState, freshness};
use crate::clock;
use crate::nodes::board;
use crate::nodes::events::Happened;
use crate::nodes::pulse::LinkState;
use crate::placement::facts::NodeFacts;
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use capstan_proto::protocol::Skew;
use capstan_registry::{AllOrders, Stale, Standing};
use capstan_types::id::NodeId;
use capstan_types::label::Labels;
use capstan_types::node::NodeRecord;
use capstan_types::node_status::{Condition, ConditionKind, EventKind};
use capstan_types::orders::{Act, ActKind, Closed, NodeOrders, Ordered};
use std::sync::Arc;
use std::time::Duration;

/// How often all nodes are looked at.
pub(super) const EVERY: Duration = Duration::from_secs(1);

impl PoolState {
    /// Takes in what operators have ordered.
    pub(super) fn obey(&mut self, orders: Arc<AllOrders>) {
        let before = std::mem::replace(&mut self.orders, orders);
        let orders = Arc::clone(&self.orders);
        let mut acts: Vec<(&NodeId, &Act)> = Vec::new();
        for (id, new) in orders.iter() {
            let old = before.get(id);
            acts.extend(new.acts.iter().filter(|act| act.number > old.map_or(0, |old| old.count)).map(|act| (id, act)));
            if old != Some(new) {
                self.changed(id, new);
            }
        }
        let gone: Vec<NodeId> = before.keys().filter(|id| !orders.contains_key(*id)).cloned().collect();
        gone.iter().for_each(|id| self.changed(id, &NodeOrders::default()));
        acts.sort_by_key(|(_, act)| act.at);
        acts.into_iter().for_each(|(id, act)| self.tell_act(id, act));
    }

    fn changed(&mut self, id: &NodeId, orders: &NodeOrders) {
        self.doors.entry(id.clone()).or_default().set_closed(orders.refuses_turns());
        let Some(link) = self.links.get(id) else { return };
        if !self.skewed.contains_key(id) {
            let facts = NodeFacts::of(link.record()).under(orders);
            self.desk.view.put(NodeFacts { freshness: freshness(&self.suspects, id), ..facts });
        }
    }

    pub(super) fn ordered(&mut self, facts: NodeFacts) -> NodeFacts {
        let none = NodeOrders::default();
        let orders = self.orders.get(&facts.id).unwrap_or(&none);
        self.doors.entry(facts.id.clone()).or_default().set_closed(orders.refuses_turns());
        facts.under(orders)
    }

    /// Whether a node can be used, by the protocol that it speaks.
    pub(super) fn judge(&mut self, record: &NodeRecord) -> bool {
        let skew = Skew::of(record.protocol);
        if skew.is_bearable() {
            self.skewed.remove(&record.id);
        } else {
            tracing::warn!(node = %record.id, "a node is not used: {skew}");
            self.skewed.insert(record.id.clone(), skew);
            self.desk.view.leave(&record.id);
        }
        skew.is_bearable()
    }

    /// Why nothing can be placed now, if that is so.
    pub(super) fn doubt(&mut self, need: &Need) -> Option<NoPlace> {
        let stale = self.stale();
        let skewed = match &need.wanted {
            Wanted::Held(id) | Wanted::Named(id) => self.skewed.get_key_value(id),
            Wanted::Any => self.skewed.first_key_value().filter(|_| self.desk.view.is_empty()),
        };
        if let Some((node, skew)) = skewed {
            return Some(NoPlace::Skewed { node: node.clone(), skew: *skew });
        }
        // A guess that is wrong costs more than a moment's wait; who is on a node already does not guess.
        stale.filter(|_| !matches!(need.wanted, Wanted::Held(_))).map(NoPlace::Stale)
    }

    /// Why nothing new can be placed now, whatever it needs, if that is so.
    pub(super) fn stale(&mut self) -> Option<Stale> {
        self.suspect().stale
    }

    /// Looks at how far the registry and its nodes may be believed.
    fn suspect(&mut self) -> Standing {
        let standing = self.registry.standing();
        let mut suspects = standing.suspects.clone();
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
        standing
    }

    fn silent(&self) -> impl Iterator<Item = NodeId> {
        let silent = self.heartbeats.iter().filter(|(_, heartbeat)| heartbeat.state().0 == LinkState::Silent);
        silent.map(|(id, _)| id.clone())
    }

    /// Looks at all nodes, and tells what has changed.
    pub(super) fn look(&mut self) {
        let (now, standing) = (clock::now(), self.suspect());
        self.tell_registry(&standing);
        let mut news: Vec<(NodeId, Condition)> = Vec::new();
        for (id, link) in &self.links {
            let heartbeat = self.heartbeats.get(id);
            let seen = heartbeat.and_then(super::Heartbeat::seen);
            let load = seen.as_ref().and_then(|seen| seen.vitals.load.as_ref());
            let closed = self.orders.get(id).and_then(|orders| orders.closed.as_ref());
            let seen = board::Seen {
                is_suspect: standing.suspects.contains(id),
                link: heartbeat.map(|heartbeat| heartbeat.state().0),
                short: load.map(|load| load.short.as_slice()),
                skew: Skew::of(link.record().protocol),
                clock_ahead_ms: seen.as_ref().and_then(|seen| seen.clock_ahead_ms),
                closed,
            };
            news.extend(self.board.look(id, &seen, now).into_iter().map(|condition| (id.clone(), condition)));
        }
        news.into_iter().for_each(|(id, condition)| self.tell_condition(&id, condition));
    }

    fn tell_registry(&mut self, standing: &Standing) {
        let answers = standing.stale.is_none();
        if std::mem::replace(&mut self.answers, answers) != answers {
            let text = match &standing.stale {
                Some(stale) => format!("nothing new is placed: {stale}"),
                None => "the registry answers again".to_owned(),
            };
            self.tell(EventKind::REGISTRY, None, text);
        }
    }

    fn tell_condition(&self, id: &NodeId, condition: Condition) {
        // What operators ordered is told as their act.
        if !matches!(condition.kind, ConditionKind::Cordoned | ConditionKind::Draining) {
            let Condition { kind, holds, reason, message, .. } = condition;
            let is = if holds { "is" } else { "is not" };
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            self.tell(EventKind::CONDITION, Some(id), format!("{is} {kind} ({reason}){why}"));
        }
    }

    pub(super) fn tell_joined(&self, record: &NodeRecord) {
        let text = format!("generation {} at {}", record.generation, record.address);
        self.tell(EventKind::JOINED, Some(&record.id), text);
    }

    pub(super) fn tell_left(&self, id: &NodeId) {
        if let Some(link) = self.links.get(id) {
            self.tell(EventKind::LEFT, Some(id), format!("generation {}", link.record().generation));
        }
    }

    pub(super) fn tell_not_placed(&self, why: &NoPlace) {
        self.tell(EventKind::NOT_PLACED, None, why.to_string());
    }

    fn tell_act(&self, id: &NodeId, act: &Act) {
        let Act { kind, what, by, at, reason, .. } = act;
        let text = match (what.is_empty(), reason) {
            (true, None) => String::new(),
            (true, Some(reason)) => reason.clone(),
            (false, None) => what.clone(),
            (false, Some(reason)) => format!("{what} ({reason})"),
        };
        let labels = self.labels(id);
        let by = (*kind != ActKind::Drained).then(|| by.to_string());
        self.events.tell(Happened { at: *at, kind: EventKind::of_act(*kind), node: Some(id.clone()), by, text, labels });
    }

    fn tell(&self, kind: EventKind, node: Option<&NodeId>, text: String) {
        let labels = node.map(|id| self.labels(id)).unwrap_or_default();
        self.events.tell(Happened { at: clock::now(), kind, node: node.cloned(), by: None, text, labels });
    }

    fn labels(&self, id: &NodeId) -> Arc<Labels> {
        let own = self.links.get(id).map(|link: &NodeLink| link.record().labels.clone()).unwrap_or_default();
        Arc::new(self.orders.get(id).map(|orders| orders.merged(&own).labels).unwrap_or(own))
    }

    /// What closes a node, if something does.
    pub(super) fn closed(&self, id: &NodeId) -> Option<&Ordered<Closed>> {
        self.orders.get(id).and_then(|orders| orders.closed.as_ref())
    }
}
