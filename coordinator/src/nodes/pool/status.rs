//! How the nodes are, for operators.

use super::PoolState;
use crate::nodes::board;
use crate::nodes::link::NodeLink;
use capstan_types::id::NodeId;
use capstan_types::label::Labels;
use capstan_types::load::NodeLoad;
use capstan_types::node_status::{LabelStatus, Life, NodeStatus, Reserved};
use capstan_types::orders::Source;
use capstan_types::time::Millis;
use std::collections::BTreeSet;

impl PoolState {
    /// How all nodes are that are registered, and those for which something is ordered, by name.
    pub(super) fn statuses(&self) -> Vec<NodeStatus> {
        let ordered = self.orders.iter().filter(|(_, orders)| !orders.is_empty()).map(|(id, _)| id);
        let all: BTreeSet<&NodeId> = self.links.keys().chain(ordered).collect();
        all.into_iter().map(|id| self.status(id)).collect()
    }

    fn status(&self, id: &NodeId) -> NodeStatus {
        let (link, orders) = (self.links.get(id), self.orders.get(id).cloned().unwrap_or_default());
        let own = link.map(|link| link.record().labels.clone()).unwrap_or_else(Labels::new);
        let merged = orders.merged(&own);
        let by_operator = |key: &str| merged.source(key) == Source::Operator;
        let label =
            |(key, value): (&String, &String)| (key.clone(), LabelStatus { value: value.clone(), by_operator: by_operator(key) });
        let in_use = self.desk.view.in_use(id);
        let closed = self.closed(id);
        let conditions = match link {
            Some(_) => self.board.conditions(id).cloned().collect(),
            None => board::ordered(closed).to_vec(),
        };
        NodeStatus {
            id: id.clone(),
            life: link.map(|link| self.life(link)),
            labels: merged.labels.iter().map(label).collect(),
            hidden: merged.hidden.clone(),
            taints: orders.taints.clone(),
            closed: closed.cloned(),
            acts: orders.acts,
            acts_in_all: orders.count,
            conditions,
            load: self.load(id),
            reserved: Reserved {
                cpu_milli: in_use.resources.cpu_milli,
                memory_bytes: in_use.resources.memory_bytes,
                disk_bytes: in_use.resources.disk_bytes,
                workspaces: in_use.workspaces,
            },
            turns: link.map_or(0, |link| link.doorway().turns()),
        }
    }

    fn life(&self, link: &NodeLink) -> Life {
        let record = link.record();
        let seen = self.heartbeats.get(&record.id).and_then(super::Heartbeat::seen);
        Life {
            generation: record.generation,
            address: record.address.to_string(),
            version: seen.map(|seen| seen.vitals.version.clone()).unwrap_or_default(),
            protocol: record.protocol,
            capacity: record.capacity,
            kernel: record.fingerprint.kernel.clone(),
            arch: record.fingerprint.arch.clone(),
            level: record.fingerprint.level,
            missing: record.fingerprint.missing.clone(),
        }
    }

    fn load(&self, id: &NodeId) -> Option<(NodeLoad, Millis)> {
        let seen = self.heartbeats.get(id)?.seen()?;
        Some((seen.vitals.load.clone()?, Millis::of(seen.at.elapsed())))
    }
}
