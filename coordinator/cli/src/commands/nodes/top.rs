//! `capstan nodes top`: what nodes have in use.

use super::list::{asked, lines, print, told};
use crate::args::ListNodesArgs;
use crate::failure::{Exit, Failure};
use crate::render::amount;
use crate::render::columns::columns;
use crate::surroundings::Surroundings;
use capstan_types::load::{NodeLoad, Resource, Room};
use capstan_types::node_status::NodeStatus;
use capstan_types::time::Millis;

pub(super) fn run(args: &ListNodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let all = asked(args, surroundings)?;
    print(&lines(args, &all, || table(&all.nodes, !args.no_headers))?);
    told(&all);
    Ok(Exit::Success)
}

fn table(nodes: &[NodeStatus], heads: bool) -> Vec<String> {
    let row = |status: &NodeStatus| {
        let of = |of: fn(&NodeLoad) -> String| status.load.as_ref().map_or_else(|| "-".to_owned(), |(load, _)| of(load));
        [
            status.id.to_string(),
            of(|load| load.running.to_string()),
            of(|load| load.starting.to_string()),
            of(|load| load.kept.to_string()),
            in_use(status, Resource::Memory),
            in_use(status, Resource::Disk),
            in_use(status, Resource::Processes),
            reserved_cpus(status),
            format!("{} / {}", amount::bytes(status.reserved.memory_bytes), memory(status)),
            status.load.as_ref().map_or_else(|| "-".to_owned(), |(_, age)| told_ago(*age)),
        ]
    };
    let names =
        ["NAME", "RUNNING", "STARTING", "KEPT", "MEMORY", "DISK", "PROCESSES", "CPUS RESERVED", "MEMORY RESERVED", "TOLD"];
    columns(heads.then_some(names), nodes.iter().map(row).collect())
}

/// How much of a resource is in use, in percent.
fn in_use(status: &NodeStatus, resource: Resource) -> String {
    let room = status.load.as_ref().and_then(|(load, _)| load.rooms.get(&resource));
    let percent = |room: &Room| room.total.saturating_sub(room.free).saturating_mul(100) / room.total.max(1);
    let short = status.load.as_ref().is_some_and(|(load, _)| load.short.contains(&resource));
    room.map_or_else(|| "-".to_owned(), |room| format!("{}%{}", percent(room), if short { " short" } else { "" }))
}

fn reserved_cpus(status: &NodeStatus) -> String {
    let all = status.life.as_ref().map_or_else(|| "-".to_owned(), |life| life.capacity.cpus.to_string());
    format!("{}.{} / {all}", status.reserved.cpu_milli / 1000, status.reserved.cpu_milli % 1000 / 100)
}

fn memory(status: &NodeStatus) -> String {
    status.life.as_ref().map_or_else(|| "-".to_owned(), |life| amount::bytes(life.capacity.memory_bytes))
}

fn told_ago(age: Millis) -> String {
    format!("{} ago", amount::span(age))
}

#[cfg(test)]
mod tests {
    use super::super::table::fixture;
    use super::*;

    #[test]
    fn what_nodes_have_in_use() {
        insta::assert_snapshot!(table(&fixture::some(), true).join("\n"));
    }
}
