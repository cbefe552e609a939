//! Why no node was chosen.

use super::queue::QueueError;
use capstan_proto::protocol::Skew;
use capstan_registry::Stale;
use capstan_types::hosts::MOST_HOSTS;
use capstan_types::id::NodeId;
use capstan_types::placement::{Rejected, told};
use capstan_types::policy::Level;

/// Why no node was chosen. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No node is known.
    #[error("no node is registered; start one with `capstan node`, or leave out --node to use this host")]
    NoNodes,
    /// What is known of the nodes is old.
    #[error("nothing new is placed now: {0}; what runs goes on, and placing goes on by itself when the registry answers again")]
    Stale(Stale),
    /// The nodes that could be chosen vanished together with many others, or do not answer.
    #[error(
        "nothing new is placed on {nodes} now: they vanished from the registry together with many others, which may be the registry's \
         fault, or they do not answer; try again in a minute, or look at etcd and at the nodes"
    )]
    Suspect {
        /// They.
        nodes: String,
    },
    /// The nodes that could be chosen speak a protocol that this coordinator does not work with.
    #[error("node {node} cannot be used: {skew}")]
    Skewed {
        /// The one that is wanted, or the first.
        node: NodeId,
        /// How its protocol stands to ours.
        skew: Skew,
    },
    /// The node that was asked for is not there.
    #[error("node {wanted} is not registered; the registered nodes are: {known}")]
    NotRegistered {
        /// The node asked for.
        wanted: NodeId,
        /// The nodes that are there.
        known: String,
    },
    /// No node that may be chosen gives a sandbox that is strong enough.
    #[error(
        "node {node} gives a sandbox of level {level}, and {demanded} is demanded{}; change the host, use another node, or demand less",
        because(.missing)
    )]
    TooWeak {
        /// The strongest of them.
        node: NodeId,
        /// What it gives.
        level: Level,
        /// What is demanded.
        demanded: Level,
        /// What it lacks, and why.
        missing: Vec<String>,
    },
    /// Nodes are there, and none may be chosen.
    #[error("none of {nodes} node(s) may be chosen: {}; ask for less, or let an operator change the nodes", told(.rejected))]
    NoneFits {
        /// How many there are.
        nodes: u64,
        /// Why none.
        rejected: Rejected,
    },
    /// Some would do, if they had room. Whoever can wait is placed when something ends.
    #[error("no node has room now; of {nodes} node(s), {}", told(.rejected))]
    Full {
        /// How many there are.
        nodes: u64,
        /// Why none.
        rejected: Rejected,
    },
    /// It waited for room as long as one may.
    #[error("{full} ({}); try again later, ask for less, or add a node", stood(*.waited, *.before, *.waiting))]
    Waited {
        /// So many seconds.
        waited: u64,
        /// How many were before it at the end.
        before: usize,
        /// How many waited at the end.
        waiting: usize,
        /// Why there was none.
        full: Box<NoPlace>,
    },
    /// A selector means more hosts than a thread may use.
    #[error("{found} hosts match, and a thread may use at most {MOST_HOSTS}; name fewer")]
    TooManyHosts {
        /// How many.
        found: usize,
    },
    /// Too many wait already.
    #[error(transparent)]
    Crowded(#[from] QueueError),
}

impl NoPlace {
    /// Whether waiting may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether it may help whoever waits already to wait on: a node that does not answer now may do so while there is time left.
    #[must_use]
    pub const fn may_pass_for_who_waits(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Suspect { .. })
    }
}

fn stood(waited: u64, before: usize, waiting: usize) -> String {
    match before {
        0 => format!("waited {waited} s, as the first of {waiting} in line"),
        before => format!("waited {waited} s, with {before} of {waiting} in line before it"),
    }
}

fn because(missing: &[String]) -> String {
    if missing.is_empty() { String::new() } else { format!(" (missing there: {})", missing.join("; ")) }
}
