//! A node for programs.

use crate::render::moment;
use capstan_types::load::{NodeLoad, Resource, Room};
use capstan_types::node_status::{Condition, Life, NodeStatus};
use capstan_types::operator::Person;
use capstan_types::orders::{Act, AtDeadline, Closed, Ordered};
use capstan_types::time::{Millis, UnixMillis};
use serde_json::{Map, Value, json};

/// A list of nodes.
pub(super) fn list(nodes: &[NodeStatus], stale: Option<&str>) -> Value {
    json!({ "nodes": nodes.iter().map(node).collect::<Vec<_>>(), "stale": stale })
}

fn node(status: &NodeStatus) -> Value {
    let labels: Map<String, Value> = status.labels.iter().map(|(key, label)| (key.clone(), label.value.clone().into())).collect();
    let by_operator: Vec<&String> = status.labels.iter().filter(|(_, label)| label.by_operator).map(|(key, _)| key).collect();
    json!({
        "name": status.id.to_string(),
        "registered": status.life.is_some(),
        "life": status.life.as_ref().map(life),
        "labels": labels,
        "labels_by_operator": by_operator,
        "labels_hidden": status.hidden,
        "taints": status.taints.iter().map(|taint| ordered(taint, json!({ "taint": taint.what.to_string() }))).collect::<Vec<_>>(),
        "closed": status.closed.as_ref().map(|order| ordered(order, closed(&order.what))),
        "conditions": status.conditions.iter().map(condition).collect::<Vec<_>>(),
        "load": status.load.as_ref().map(|(told, age)| load(told, *age)),
        "reserved": {
            "cpu_milli": status.reserved.cpu_milli, "memory_bytes": status.reserved.memory_bytes,
            "disk_bytes": status.reserved.disk_bytes, "workspaces": status.reserved.workspaces,
        },
        "turns": status.turns,
        "acts": status.acts.iter().map(act).collect::<Vec<_>>(),
        "acts_in_all": status.acts_in_all,
    })
}

fn life(life: &Life) -> Value {
    json!({
        "generation": life.generation.0, "address": life.address, "version": life.version, "protocol": life.protocol,
        "sessions": life.capacity.sessions, "cpus": life.capacity.cpus, "memory_bytes": life.capacity.memory_bytes,
        "kernel": life.kernel, "arch": life.arch, "level": life.level.to_string(), "missing": life.missing,
    })
}

fn ordered<T>(order: &Ordered<T>, mut what: Value) -> Value {
    add_who(&mut what, &order.by, order.at, order.reason.as_ref());
    what
}

fn add_who(what: &mut Value, by: &Person, at: UnixMillis, reason: Option<&String>) {
    if let Some(object) = what.as_object_mut() {
        object.insert("by".to_owned(), by.to_string().into());
        object.insert("at".to_owned(), moment::utc(at).into());
        object.insert("reason".to_owned(), reason.cloned().into());
    }
}

fn closed(closed: &Closed) -> Value {
    match closed {
        Closed::Cordoned => json!({ "how": "cordoned" }),
        Closed::Drained => json!({ "how": "drained" }),
        Closed::Draining(drain) => json!({
            "how": "draining",
            "deadline": drain.deadline.map(moment::utc),
            "then": match drain.then { AtDeadline::Tell => "tell", AtDeadline::Cancel => "cancel", AtDeadline::Wait => "wait" },
            "via": drain.via,
        }),
    }
}

fn condition(condition: &Condition) -> Value {
    json!({
        "type": condition.kind.as_str(), "status": condition.holds, "reason": condition.reason, "message": condition.message,
        "since": moment::utc(condition.since),
    })
}

fn act(act: &Act) -> Value {
    let kind = capstan_types::node_status::EventKind::of_act(act.kind);
    let mut what = json!({ "number": act.number, "kind": kind.as_str(), "what": act.what });
    add_who(&mut what, &act.by, act.at, act.reason.as_ref());
    what
}

fn load(load: &NodeLoad, age: Millis) -> Value {
    let room = |(resource, room): (&Resource, &Room)| {
        let refused = load.refused.get(resource).copied().unwrap_or(0);
        let room = json!({ "free": room.free, "total": room.total, "short": load.short.contains(resource), "refused": refused });
        (resource.name().to_owned(), room)
    };
    json!({
        "running": load.running, "starting": load.starting, "kept": load.kept, "threads": load.threads, "tasks": load.tasks,
        "rooms": load.rooms.iter().map(room).collect::<Map<_, _>>(), "age_ms": age.0,
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::fixture;
    use super::*;

    #[test]
    fn nodes_for_programs() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&list(&fixture::some(), None)).unwrap());
    }
}
