//! The node's description of itself.

use super::exec::{level_from_wire, level_to_wire};
use super::{Malformed, parse};
use crate::wire::node as wire;
use capstan_types::id::Generation;
use capstan_types::load::{NodeLoad, Resource, Room};
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use capstan_types::policy::Level;
use capstan_types::stock::{MOST_HELD, Stock, held};
use capstan_types::time::UnixMillis;

/// A node's answer to Describe.
#[must_use]
pub fn describe(record: NodeRecord, version: &str, sessions: u32, load: NodeLoad, clock: UnixMillis) -> wire::DescribeResponse {
    wire::DescribeResponse {
        node_id: record.id.into(),
        generation: record.generation.0,
        version: version.to_owned(),
        labels: record.labels.into_iter().collect(),
        capacity: Some(wire::Capacity {
            sessions: record.capacity.sessions,
            cpus: record.capacity.cpus,
            memory_bytes: record.capacity.memory_bytes,
        }),
        fingerprint: Some(record.fingerprint.into()),
        sessions,
        journal: journal_to_wire(record.journal).into(),
        load: Some(load.into()),
        protocol: record.protocol,
        clock_ms: clock.0,
        stock: Some(record.stock.into()),
    }
}

/// What a node says of itself now, besides its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Its release.
    pub version: String,
    /// Which protocol it speaks, 0 for one that does not say.
    pub protocol: u32,
    /// What it has in use; `None` of one that does not say.
    pub load: Option<NodeLoad>,
    /// What its clock says, if it says it.
    pub clock: Option<UnixMillis>,
}

/// Reads what changes of a node's description.
#[must_use]
pub fn vitals(wire: wire::DescribeResponse) -> Vitals {
    let clock = Some(UnixMillis(wire.clock_ms)).filter(|clock| clock.0 > 0);
    Vitals { version: wire.version, protocol: wire.protocol, load: wire.load.map(Into::into), clock }
}

/// Reads a node's description. `address` is where it was asked, which the node itself need not know.
///
/// # Errors
/// A description without a name or a capacity.
pub fn record(wire: wire::DescribeResponse, address: NodeAddress) -> Result<NodeRecord, Malformed> {
    let journal = journal_from_wire(wire.journal());
    let capacity = wire.capacity.ok_or_else(|| Malformed::missing("capacity"))?;
    Ok(NodeRecord {
        id: parse("node_id", &wire.node_id)?,
        generation: Generation(wire.generation),
        address,
        labels: wire.labels.into_iter().collect(),
        capacity: Capacity { sessions: capacity.sessions, cpus: capacity.cpus, memory_bytes: capacity.memory_bytes },
        stock: wire.stock.unwrap_or_default().into(),
        fingerprint: wire.fingerprint.unwrap_or_default().into(),
        journal,
        protocol: wire.protocol,
    })
}

impl From<Stock> for wire::Stock {
    fn from(stock: Stock) -> Self {
        let custom = stock.custom.into_iter().map(|(key, amount)| (key.into(), amount)).collect();
        Self { disk_bytes: stock.disk_bytes, custom, holds: stock.holds.into_iter().collect() }
    }
}

impl From<wire::Stock> for Stock {
    fn from(wire: wire::Stock) -> Self {
        // What this release cannot read is not counted on.
        let custom = wire.custom.iter().filter_map(|(key, amount)| Some((key.parse().ok()?, *amount))).collect();
        let holds = wire.holds.iter().filter_map(|name| held(name).ok()).take(MOST_HELD).collect();
        Self { disk_bytes: wire.disk_bytes, custom, holds }
    }
}

impl From<NodeLoad> for wire::Load {
    fn from(load: NodeLoad) -> Self {
        let room = |(resource, room): (&Resource, &Room)| wire::Room {
            resource: resource.name().to_owned(),
            free: room.free,
            total: room.total,
            short: load.short.contains(resource),
            refused: load.refused.get(resource).copied().unwrap_or(0),
        };
        Self {
            running: load.running,
            starting: load.starting,
            kept: load.kept,
            threads: load.threads,
            tasks: load.tasks,
            rooms: load.rooms.iter().map(room).collect(),
        }
    }
}

impl From<wire::Load> for NodeLoad {
    fn from(wire: wire::Load) -> Self {
        let known: Vec<_> = wire.rooms.iter().filter_map(|room| Some((Resource::named(&room.resource)?, room))).collect();
        Self {
            running: wire.running,
            starting: wire.starting,
            kept: wire.kept,
            threads: wire.threads,
            tasks: wire.tasks,
            rooms: known.iter().map(|(resource, room)| (*resource, Room { free: room.free, total: room.total })).collect(),
            short: known.iter().filter(|(_, room)| room.short).map(|(resource, _)| *resource).collect(),
            refused: known
                .iter()
                .filter(|(_, room)| room.refused > 0)
                .map(|(resource, room)| (*resource, room.refused))
                .collect(),
        }
    }
}

const fn journal_to_wire(journal: JournalState) -> wire::JournalState {
    match journal {
        JournalState::Unsaid => wire::JournalState::Unspecified,
        JournalState::Kept => wire::JournalState::Kept,
        JournalState::New => wire::JournalState::New,
        JournalState::Lost => wire::JournalState::Lost,
    }
}

const fn journal_from_wire(journal: wire::JournalState) -> JournalState {
    match journal {
        wire::JournalState::Unspecified => JournalState::Unsaid,
        wire::JournalState::Kept => JournalState::Kept,
        wire::JournalState::New => JournalState::New,
        wire::JournalState::Lost => JournalState::Lost,
    }
}

impl From<Fingerprint> for wire::Fingerprint {
    fn from(print: Fingerprint) -> Self {
        Self {
            landlock_abi: print.landlock_abi.unwrap_or(0),
            seccomp: print.seccomp,
            namespaces: print.namespaces,
            cgroups: print.cgroups,
            kernel: print.kernel,
            arch: print.arch,
            root: print.root,
            level: level_to_wire(print.level).into(),
            missing: print.missing,
        }
    }
}

impl From<wire::Fingerprint> for Fingerprint {
    fn from(wire: wire::Fingerprint) -> Self {
        Self {
            landlock_abi: Some(wire.landlock_abi).filter(|abi| *abi > 0),
            seccomp: wire.seccomp,
            namespaces: wire.namespaces,
            cgroups: wire.cgroups,
            kernel: wire.kernel,
            arch: wire.arch,
            root: wire.root,
            // A node that knows of levels that this release does not is taken for the weakest that holds anything.
            level: wire::SandboxLevel::try_from(wire.level).map_or_else(|_| Level::default(), level_from_wire),
            missing: wire.missing,
        }
    }
}
