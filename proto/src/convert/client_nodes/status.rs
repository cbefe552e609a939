//! A node's status.

use super::{given_from, ordering};
use crate::convert::{Malformed, nonzero, parse};
use crate::wire::client as wire;
use capstan_types::id::Generation;
use capstan_types::load::{NodeLoad, Resource, Room};
use capstan_types::node::Capacity;
use capstan_types::node_status::{Condition, LabelStatus, Life, NodeStatus, Reserved};
use capstan_types::orders::{Act, ActKind, AtDeadline, Closed, Drain, Ordered};
use capstan_types::policy::Level;
use capstan_types::taint::Taint;
use capstan_types::time::{Millis, UnixMillis};

impl From<NodeStatus> for wire::Node {
    fn from(status: NodeStatus) -> Self {
        let label =
            |(key, label): (String, LabelStatus)| wire::NodeLabel { key, value: label.value, by_operator: label.by_operator };
        Self {
            node_id: status.id.to_string(),
            life: status.life.map(Into::into),
            labels: status.labels.into_iter().map(label).collect(),
            taints: status.taints.iter().map(taint_to_wire).collect(),
            closed: status.closed.as_ref().map(closed_to_wire),
            acts: status.acts.iter().map(act_to_wire).collect(),
            acts_in_all: status.acts_in_all,
            conditions: status.conditions.into_iter().map(Into::into).collect(),
            r#use: status.load.map(|(load, age)| use_to_wire(load, age)),
            reserved: Some(wire::NodeReserved {
                cpu_milli: status.reserved.cpu_milli,
                memory_bytes: status.reserved.memory_bytes,
                disk_bytes: status.reserved.disk_bytes,
                workspaces: status.reserved.workspaces,
            }),
            turns: status.turns,
            hidden_labels: status.hidden.into_iter().collect(),
        }
    }
}

impl TryFrom<wire::Node> for NodeStatus {
    type Error = Malformed;

    fn try_from(wire: wire::Node) -> Result<Self, Malformed> {
        let label = |label: wire::NodeLabel| (label.key, LabelStatus { value: label.value, by_operator: label.by_operator });
        let reserved = wire.reserved.unwrap_or_default();
        Ok(Self {
            id: parse("node_id", &wire.node_id)?,
            life: wire.life.map(TryInto::try_into).transpose()?,
            labels: wire.labels.into_iter().map(label).collect(),
            hidden: wire.hidden_labels.into_iter().collect(),
            taints: wire.taints.into_iter().map(taint_from_wire).collect::<Result<_, _>>()?,
            closed: wire.closed.map(closed_from_wire).transpose()?,
            acts: wire.acts.into_iter().map(act_from_wire).collect::<Result<_, _>>()?,
            acts_in_all: wire.acts_in_all,
            // One that only a later release knows is passed over.
            conditions: wire.conditions.into_iter().filter_map(|condition| condition.try_into().ok()).collect(),
            load: wire.r#use.map(|used| use_from_wire(&used)),
            reserved: Reserved {
                cpu_milli: reserved.cpu_milli,
                memory_bytes: reserved.memory_bytes,
                disk_bytes: reserved.disk_bytes,
                workspaces: reserved.workspaces,
            },
            turns: wire.turns,
        })
    }
}

impl From<Life> for wire::NodeLife {
    fn from(life: Life) -> Self {
        Self {
            generation: life.generation.0,
            address: life.address,
            version: life.version,
            protocol: life.protocol,
            sessions: life.capacity.sessions,
            cpus: life.capacity.cpus,
            memory_bytes: life.capacity.memory_bytes,
            kernel: life.kernel,
            arch: life.arch,
            level: life.level.to_string(),
            missing: life.missing,
        }
    }
}

impl TryFrom<wire::NodeLife> for Life {
    type Error = Malformed;

    fn try_from(wire: wire::NodeLife) -> Result<Self, Malformed> {
        Ok(Self {
            generation: Generation(wire.generation),
            address: wire.address,
            version: wire.version,
            protocol: wire.protocol,
            capacity: Capacity { sessions: wire.sessions, cpus: wire.cpus, memory_bytes: wire.memory_bytes },
            kernel: wire.kernel,
            arch: wire.arch,
            level: parse::<Level>("life.level", &wire.level)?,
            missing: wire.missing,
        })
    }
}

impl From<Condition> for wire::NodeCondition {
    fn from(condition: Condition) -> Self {
        Self {
            kind: condition.kind.to_string(),
            holds: condition.holds,
            reason: condition.reason,
            message: condition.message,
            since_ms: condition.since.0,
        }
    }
}

impl TryFrom<wire::NodeCondition> for Condition {
    type Error = Malformed;

    fn try_from(wire: wire::NodeCondition) -> Result<Self, Malformed> {
        Ok(Self {
            kind: parse("condition.kind", &wire.kind)?,
            holds: wire.holds,
            reason: wire.reason,
            message: wire.message,
            since: UnixMillis(wire.since_ms),
        })
    }
}

fn taint_to_wire(taint: &Ordered<Taint>) -> wire::NodeTaint {
    let order = Some(ordering(&taint.by, taint.at, taint.reason.as_ref()));
    wire::NodeTaint { taint: taint.what.to_string(), order }
}

fn taint_from_wire(wire: wire::NodeTaint) -> Result<Ordered<Taint>, Malformed> {
    let given = given_from(wire.order)?;
    Ok(Ordered { what: parse("taint", &wire.taint)?, by: given.by, at: given.at, reason: given.reason })
}

fn closed_to_wire(closed: &Ordered<Closed>) -> wire::NodeClosed {
    let (how, drain) = match &closed.what {
        Closed::Cordoned => (wire::NodeClosure::Cordoned, None),
        Closed::Draining(drain) => (wire::NodeClosure::Draining, Some(drain)),
        Closed::Drained => (wire::NodeClosure::Drained, None),
    };
    wire::NodeClosed {
        how: how.into(),
        order: Some(ordering(&closed.by, closed.at, closed.reason.as_ref())),
        deadline_ms: drain.and_then(|drain| drain.deadline).map_or(0, |at| at.0),
        then: drain.map_or(wire::DrainThen::Unspecified, |drain| drain.then.into()).into(),
        via: drain.map(|drain| drain.via.clone()).unwrap_or_default(),
    }
}

fn closed_from_wire(wire: wire::NodeClosed) -> Result<Ordered<Closed>, Malformed> {
    let then = wire.then().into();
    let what = match wire.how() {
        wire::NodeClosure::Unspecified => return Err(Malformed::missing("closed.how")),
        wire::NodeClosure::Cordoned => Closed::Cordoned,
        wire::NodeClosure::Draining => {
            Closed::Draining(Drain { deadline: nonzero(wire.deadline_ms).map(UnixMillis), then, via: wire.via })
        }
        wire::NodeClosure::Drained => Closed::Drained,
    };
    let given = given_from(wire.order)?;
    Ok(Ordered { what, by: given.by, at: given.at, reason: given.reason })
}

impl From<AtDeadline> for wire::DrainThen {
    fn from(then: AtDeadline) -> Self {
        match then {
            AtDeadline::Tell => Self::Unspecified,
            AtDeadline::Cancel => Self::Cancel,
            AtDeadline::Wait => Self::Wait,
        }
    }
}

impl From<wire::DrainThen> for AtDeadline {
    fn from(then: wire::DrainThen) -> Self {
        match then {
            wire::DrainThen::Unspecified => Self::Tell,
            wire::DrainThen::Cancel => Self::Cancel,
            wire::DrainThen::Wait => Self::Wait,
        }
    }
}

fn act_to_wire(act: &Act) -> wire::NodeAct {
    let kind = capstan_types::node_status::EventKind::of_act(act.kind);
    let order = Some(ordering(&act.by, act.at, act.reason.as_ref()));
    wire::NodeAct { number: act.number, kind: kind.to_string(), what: act.what.clone(), order }
}

fn act_from_wire(wire: wire::NodeAct) -> Result<Act, Malformed> {
    let given = given_from(wire.order)?;
    let kind = serde_json::from_value::<ActKind>(wire.kind.into()).unwrap_or(ActKind::Other);
    Ok(Act { number: wire.number, kind, what: wire.what, by: given.by, at: given.at, reason: given.reason })
}

fn use_to_wire(load: NodeLoad, age: Millis) -> wire::NodeUse {
    let room = |(resource, room): (&Resource, &Room)| wire::NodeRoom {
        resource: resource.name().to_owned(),
        free: room.free,
        total: room.total,
        short: load.short.contains(resource),
        refused: load.refused.get(resource).copied().unwrap_or(0),
    };
    wire::NodeUse {
        running: load.running,
        starting: load.starting,
        kept: load.kept,
        threads: load.threads,
        tasks: load.tasks,
        rooms: load.rooms.iter().map(room).collect(),
        age_ms: age.0,
    }
}

fn use_from_wire(wire: &wire::NodeUse) -> (NodeLoad, Millis) {
    let known: Vec<_> = wire.rooms.iter().filter_map(|room| Some((Resource::named(&room.resource)?, room))).collect();
    let load = NodeLoad {
        running: wire.running,
        starting: wire.starting,
        kept: wire.kept,
        threads: wire.threads,
        tasks: wire.tasks,
        rooms: known.iter().map(|(resource, room)| (*resource, Room { free: room.free, total: room.total })).collect(),
        short: known.iter().filter(|(_, room)| room.short).map(|(resource, _)| *resource).collect(),
        refused: known.iter().filter(|(_, room)| room.refused > 0).map(|(resource, room)| (*resource, room.refused)).collect(),
    };
    (load, Millis(wire.age_ms))
}
