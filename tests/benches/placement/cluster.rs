//! A large cluster, always the same.

use capstan_coordinator::placement::choose::choose;
use capstan_coordinator::placement::facts::{Freshness, NodeFacts};
use capstan_coordinator::placement::need::Need;
use capstan_coordinator::placement::view::View;
use capstan_types::id::ThreadId;
use capstan_types::policy::Level;
use capstan_types::resources::Resources;

/// Nodes.
pub(crate) const NODES: usize = 10_000;

/// Workspaces on them.
pub(crate) const WORKSPACES: usize = 100_000;

/// Batches of which the workspaces are.
pub(crate) const BATCHES: u64 = 100;

/// The node of a number: of three zones, one in twenty tainted, one in fifty cordoned, each with a label of its own.
pub(crate) fn node(number: usize) -> NodeFacts {
    let label = |key: &str, value: String| (key.to_owned(), value);
    let labels = [
        label("host", format!("n{number}")),
        label("zone", format!("z{}", number % 3)),
        label("arch", if number.is_multiple_of(4) { "aarch64" } else { "x86_64" }.to_owned()),
        label("pool", format!("p{}", number % 40)),
        label("disk", if number.is_multiple_of(2) { "ssd" } else { "nvme" }.to_owned()),
    ];
    let taint = (number % 20 == 7).then(|| "gpu=a100:NoSchedule".parse().expect("a taint"));
    NodeFacts {
        id: format!("n{number}").parse().expect("a name"),
        labels: labels.into(),
        taints: taint.into_iter().collect(),
        cordoned: number % 50 == 3,
        capacity: Resources { cpu_milli: 64_000, memory_bytes: 256 << 30, disk_bytes: 1 << 40, ..Resources::NONE },
        slots: 64,
        level: Level::Full,
        missing: Vec::new(),
        freshness: Freshness::Fresh,
        mirrors: [format!("r{}", number % 50)].into(),
        busy: 0,
    }
}

/// What the workspace of a number needs.
pub(crate) fn need(number: u64) -> Need {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let resources = Resources {
        cpu_milli: 250 + mixed % 16 * 250,
        memory_bytes: (1 + mixed / 16 % 16) << 30,
        disk_bytes: (mixed / 256 % 20) << 30,
        ..Resources::NONE
    };
    Need { resources, seed: number, level: Level::Namespaces, ..Need::default() }
}

/// The nodes with their workspaces.
pub(crate) fn filled() -> View {
    let mut view = View::default();
    (0..NODES).for_each(|number| view.put(node(number)));
    for number in 0..WORKSPACES as u64 {
        let batch = format!("b{}", number % BATCHES);
        let need = need(number);
        let choice = choose(&view, &need).expect("there is room");
        let thread = ThreadId::from_u128(number.into());
        view.reserve(thread, &choice.node, &need.resources, Some(&batch)).expect("who is chosen has room");
    }
    view
}
