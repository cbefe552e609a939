//! Nodes as rows.

use crate::render::{amount, columns::columns, moment, text};
use capstan_types::node_status::{ConditionKind, NodeStatus};
use capstan_types::orders::Closed;
use capstan_types::time::UnixMillis;

/// The pressures, as states.
const PRESSURES: [ConditionKind; 5] = [
    ConditionKind::MemoryPressure,
    ConditionKind::DiskPressure,
    ConditionKind::ProcessPressure,
    ConditionKind::DescriptorPressure,
    ConditionKind::TerminalPressure,
];

/// How a node is, in as few words as tell it: `Ready,Cordoned`.
pub(super) fn state(status: &NodeStatus) -> String {
    let first = match status {
        NodeStatus { life: None, .. } => "Absent",
        _ if status.is(ConditionKind::Ready) => "Ready",
        _ => status.condition(ConditionKind::Ready).map_or("Unknown", |ready| match ready.reason.as_str() {
            "Connecting" => "Connecting",
            "Suspect" => "Suspect",
            "Unreachable" => "Unreachable",
            _ => "NotReady",
        }),
    };
    let closed = status.closed.as_ref().map(|closed| match closed.what {
        Closed::Cordoned => "Cordoned",
        Closed::Draining(_) => "Draining",
        Closed::Drained => "Drained",
    });
    let bad = PRESSURES.into_iter().chain([ConditionKind::VersionSkew, ConditionKind::ClockSkew]);
    let bad = bad.filter(|kind| status.is(*kind)).map(ConditionKind::as_str);
    [first].into_iter().chain(closed).chain(bad).collect::<Vec<_>>().join(",")
}

/// A line for each node.
pub(super) fn table(nodes: &[NodeStatus], heads: bool) -> Vec<String> {
    let row = |status: &NodeStatus| {
        [status.id.to_string(), state(status), sessions(status), turns(status), cpus(status), memory(status)]
    };
    columns(heads.then_some(["NAME", "STATUS", "SESSIONS", "TURNS", "CPUS", "MEMORY"]), nodes.iter().map(row).collect())
}

/// The same with everything that fits into a line.
pub(super) fn wide(nodes: &[NodeStatus], now: UnixMillis, heads: bool) -> Vec<String> {
    let row = |status: &NodeStatus| {
        let life = |of: fn(&capstan_types::node_status::Life) -> String| status.life.as_ref().map_or_else(|| "-".to_owned(), of);
        let since = status.condition(ConditionKind::Ready).map_or_else(|| "-".to_owned(), |ready| moment::age(now, ready.since));
        [
            status.id.to_string(),
            state(status),
            since,
            sessions(status),
            turns(status),
            cpus(status),
            memory(status),
            life(|life| life.level.to_string()),
            life(|life| if life.version.is_empty() { "-".to_owned() } else { text::line(&life.version) }),
            life(|life| life.generation.to_string()),
            life(|life| text::line(&life.address)),
            labels(status),
            taints(status),
        ]
    };
    let heads = heads.then_some([
        "NAME",
        "STATUS",
        "SINCE",
        "SESSIONS",
        "TURNS",
        "CPUS",
        "MEMORY",
        "LEVEL",
        "VERSION",
        "GENERATION",
        "ADDRESS",
        "LABELS",
        "TAINTS",
    ]);
    columns(heads, nodes.iter().map(row).collect())
}

/// What runs, of what may.
fn sessions(status: &NodeStatus) -> String {
    let most = status.life.as_ref().map_or_else(|| "-".to_owned(), |life| life.capacity.sessions.to_string());
    match &status.load {
        Some((load, _)) => format!("{}/{most}", load.running + load.starting),
        None => format!("-/{most}"),
    }
}

fn turns(status: &NodeStatus) -> String {
    status.turns.to_string()
}

fn cpus(status: &NodeStatus) -> String {
    status.life.as_ref().map_or_else(|| "-".to_owned(), |life| life.capacity.cpus.to_string())
}

fn memory(status: &NodeStatus) -> String {
    status.life.as_ref().map_or_else(|| "-".to_owned(), |life| amount::bytes(life.capacity.memory_bytes))
}

/// The labels in a line; an operator's have a star.
pub(super) fn labels(status: &NodeStatus) -> String {
    let one = |(key, label): (&String, &capstan_types::node_status::LabelStatus)| {
        text::line(&format!("{key}={}{}", label.value, if label.by_operator { "*" } else { "" }))
    };
    or_dash(status.labels.iter().map(one).collect())
}

fn taints(status: &NodeStatus) -> String {
    or_dash(status.taints.iter().map(|taint| taint.what.to_string()).collect())
}

fn or_dash(parts: Vec<String>) -> String {
    if parts.is_empty() { "-".to_owned() } else { parts.join(",") }
}

#[cfg(test)]
pub(super) mod fixture;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nodes() {
        insta::assert_snapshot!(table(&fixture::some(), true).join("\n"));
    }

    #[test]
    fn a_wide_list_of_nodes() {
        insta::assert_snapshot!(wide(&fixture::some(), fixture::NOW, true).join("\n"));
    }
}
