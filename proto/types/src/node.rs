//! What the registry and placement know of a host.

use crate::id::{Generation, NodeId};
use crate::policy::Level;
use crate::stock::Stock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A registered host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub id: NodeId,
    /// Which of its lives this is.
    pub generation: Generation,
    /// Where its services are reached.
    pub address: NodeAddress,
    /// Facts about the host that placement may select by.
    pub labels: BTreeMap<String, String>,
    /// What it can run.
    pub capacity: Capacity,
    /// What it has besides.
    #[serde(default)]
    pub stock: Stock,
    /// What its kernel can enforce.
    pub fingerprint: Fingerprint,
    /// Whether this life knows what earlier ones started.
    #[serde(default)]
    pub journal: JournalState,
    /// Which protocol it speaks; 0 when it was not said, which older releases do not.
    #[serde(default)]
    pub protocol: u32,
}

/// Whether a node has the journal of its earlier lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalState {
    /// It was not said.
    #[default]
    Unsaid,
    /// It is there: sessions of earlier lives go on, and no call is started twice.
    Kept,
    /// There was no earlier life.
    New,
    /// It is gone or damaged: sessions of earlier lives were ended, and what became of their calls is unknown.
    Lost,
}

/// Where a node's services are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeAddress {
    /// In this process.
    Embedded,
    /// By TCP, as `host:port`.
    Tcp(String),
    /// By TCP between members of a cluster, as `host:port`.
    Tls(String),
    /// By a Unix socket on this host.
    Unix(String),
    /// By a connection that the node itself made to the coordinator of this name, which keeps its record. Nobody can call it from outside.
    Dialed(String),
}

impl std::fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Tls(address) => write!(f, "https://{address}"),
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Dialed(coordinator) => write!(f, "dialed:{coordinator}"),
        }
    }
}

/// How much a node can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Sessions that may be live at once.
    pub sessions: u32,
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

/// What a host can enforce and where it runs, as found by the runner's probe and, for the level, by a session of the node's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The Landlock ABI of the kernel; `None` when Landlock is missing or off.
    pub landlock_abi: Option<u32>,
    /// Whether seccomp filters can be attached.
    pub seccomp: bool,
    /// The namespaces that can be made, by the names of `/proc/self/ns`.
    pub namespaces: Vec<String>,
    /// The cgroup hierarchies that can be written, such as `v1:memory` or `v2:kill`.
    pub cgroups: Vec<String>,
    /// The kernel's release.
    pub kernel: String,
    /// The machine's architecture.
    pub arch: String,
    /// Whether the prober ran as uid 0.
    pub root: bool,
    /// What a session that may write to a plain directory of this host reaches.
    #[serde(default)]
    pub level: Level,
    /// What a stronger level would have, and why this host does not give it.
    #[serde(default)]
    pub missing: Vec<String>,
}
