//! The hosts of a thread: all that a tool may know of them, and the way of a call to one.
//!
//! A thread works at home, where its workspace is, and may be given others. They share nothing: each has files of its own, and a call works in the
//! directory of the thread on the host that it names.

use crate::host::ExecHost;
use async_trait::async_trait;
use capstan_types::id::NodeId;
use capstan_types::label::Labels;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fmt::Debug;
use std::sync::Arc;

/// The hosts of one thread.
#[async_trait]
pub trait Hosts: Debug + Send + Sync {
    /// Their names, that of the home first.
    fn names(&self) -> Vec<NodeId>;

    /// Where a call works that is meant for one of them.
    ///
    /// # Errors
    /// See [`NoHost`].
    async fn station(&self, host: &NodeId) -> Result<Station, NoHost>;

    /// How they are now, in the order of their names.
    async fn sights(&self) -> Vec<Sight>;
}

/// Where a call works.
#[derive(Debug, Clone)]
pub struct Station {
    /// The machine.
    pub host: Arc<dyn ExecHost>,
    /// The thread's directory there.
    pub cwd: AbsPath,
    /// The thread's sandbox policy there.
    pub policy: SandboxPolicy,
}

/// One host, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Its name.
    pub node: NodeId,
    /// The thread's directory there.
    pub dir: AbsPath,
    /// What is known of it, or why it cannot be used now.
    pub state: Result<HostFacts, String>,
}

/// What is known of a host that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// Its labels.
    pub labels: Labels,
    /// Its machine and kernel, in words.
    pub system: String,
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// The largest share of anything of it that is in use, in thousandths.
    pub load: u16,
}

/// Why a call does not come to a host. For the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHost {
    /// It is not one of the thread's.
    #[error("this thread may not use a host `{asked}`; its hosts are: {hosts}")]
    NotOurs {
        /// What the call names.
        asked: NodeId,
        /// The thread's hosts.
        hosts: String,
    },
    /// It cannot be reached now.
    #[error("host {node} cannot be used now: {reason}; list_hosts shows which can")]
    Away {
        /// The host.
        node: NodeId,
        /// Why not.
        reason: String,
    },
    /// The thread has no directory there.
    #[error("the thread cannot work on host {node}: {reason}; use another host, or ask the user for a directory there")]
    NoDirectory {
        /// The host.
        node: NodeId,
        /// What the host said.
        reason: String,
    },
}

/// The names, as the model is told of them.
#[must_use]
pub fn named(hosts: &[NodeId]) -> String {
    hosts.iter().map(NodeId::as_str).collect::<Vec<_>>().join(", ")
}
