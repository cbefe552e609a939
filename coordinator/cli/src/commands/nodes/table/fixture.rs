//! Some nodes.

use capstan_types::id::Generation;
use capstan_types::load::{NodeLoad, Resource, Room};
use capstan_types::node::Capacity;
use capstan_types::node_status::{Condition, ConditionKind, LabelStatus, Life, NodeStatus, Reserved};
use capstan_types::orders::{Act, ActKind, AtDeadline, Closed, Drain, Ordered};
use capstan_types::policy::Level;
use capstan_types::time::{Millis, UnixMillis};

pub(in super::super) const NOW: UnixMillis = UnixMillis(1_795_399_712_000);

fn condition(kind: ConditionKind, holds: bool, reason: &str, message: &str) -> Condition {
    Condition { kind, holds, reason: reason.into(), message: message.into(), since: UnixMillis(NOW.0 - 4_000_000) }
}

fn node(id: &str) -> NodeStatus {
    let label = |value: &str, by_operator| LabelStatus { value: value.into(), by_operator };
    NodeStatus {
        id: id.parse().unwrap(),
        life: Some(Life {
            generation: Generation(3),
            address: format!("https://{id}.example:7401"),
            version: "0.1.0".into(),
            protocol: 2,
            capacity: Capacity { sessions: 256, cpus: 8, memory_bytes: 16 << 30 },
            kernel: "6.1.0".into(),
            arch: "x86_64".into(),
            level: Level::Full,
            missing: Vec::new(),
        }),
        labels: [("arch".into(), label("x86_64", false)), ("zone".into(), label("b", true))].into(),
        hidden: [("zone".into(), "a".into())].into(),
        taints: Vec::new(),
        closed: None,
        acts: Vec::new(),
        acts_in_all: 0,
        conditions: vec![
            condition(ConditionKind::Ready, true, "Serving", ""),
            condition(ConditionKind::MemoryPressure, false, "Enough", ""),
        ],
        load: Some((
            NodeLoad {
                running: 12,
                starting: 1,
                kept: 3,
                threads: 9,
                tasks: 80,
                rooms: [
                    (Resource::Memory, Room { free: 6 << 30, total: 16 << 30 }),
                    (Resource::Disk, Room { free: 3 << 30, total: 100 << 30 }),
                    (Resource::Processes, Room { free: 30_000, total: 32_768 }),
                ]
                .into(),
                short: Vec::new(),
                refused: [(Resource::Memory, 2)].into(),
            },
            Millis(1_200),
        )),
        reserved: Reserved { cpu_milli: 2_500, memory_bytes: 4 << 30, disk_bytes: 0, workspaces: 7 },
        turns: 5,
    }
}

pub(in super::super) fn some() -> Vec<NodeStatus> {
    let by = || "ann (uid 1000)".parse().unwrap();
    let at = UnixMillis(NOW.0 - 90_000);
    let reason = Some("kernel update".to_owned());
    let drain = Drain { deadline: Some(UnixMillis(NOW.0 + 600_000)), then: AtDeadline::Cancel, via: "home/1".into() };
    let draining = NodeStatus {
        closed: Some(Ordered { what: Closed::Draining(drain), by: by(), at, reason: reason.clone() }),
        taints: vec![Ordered { what: "gpu=a100:NoSchedule".parse().unwrap(), by: by(), at, reason: None }],
        acts: vec![
            Act { number: 17, kind: ActKind::Tainted, what: "gpu=a100:NoSchedule".into(), by: by(), at, reason: None },
            Act {
                number: 18,
                kind: ActKind::Draining,
                what: "what runs at the deadline is cancelled".into(),
                by: by(),
                at,
                reason,
            },
        ],
        acts_in_all: 18,
        conditions: vec![
            condition(ConditionKind::Ready, true, "Serving", ""),
            condition(ConditionKind::Draining, true, "Ordered", "ann (uid 1000): kernel update"),
            condition(ConditionKind::DiskPressure, true, "Short", "it starts no session for want of disk"),
        ],
        ..node("b")
    };
    let silent = NodeStatus {
        conditions: vec![condition(ConditionKind::Ready, false, "Unreachable", "it does not answer")],
        load: None,
        ..node("c")
    };
    let closed = Some(Ordered { what: Closed::Cordoned, by: by(), at, reason: None });
    let absent = NodeStatus { life: None, load: None, closed, conditions: Vec::new(), turns: 0, ..node("gone") };
    vec![node("a"), draining, silent, absent]
}
