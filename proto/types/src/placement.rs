//! What a thread asks of its node, and why a node was chosen and others were not: values that are kept with the thread, and sentences for people.

use crate::hosts::HostsAsked;
use crate::id::NodeId;
use crate::resources::Resources;
use crate::selector::Selector;
use crate::taint::Toleration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What a thread asks of the node that is to hold its workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacementSettings {
    /// Which labels it must have.
    pub selector: Selector,
    /// Which taints are put up with.
    pub tolerations: Vec<Toleration>,
    /// What is reserved there.
    pub resources: Resources,
    /// Where among the nodes that would do.
    pub packing: Packing,
    /// The batch whose workspaces had better not share a node.
    pub batch: Option<String>,
    /// How far before others it stands when it has to wait: 0 to 9, 5 without a word.
    pub priority: Priority,
    /// What had better be there: a repository's mirror, or a warm cache, by the name under which nodes say that they hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// The hosts that the thread may use; `None` is the one that holds its workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<HostsAsked>,
}

/// How far before others somebody stands who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// A number that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a priority; use 0 (last) to 9 (first)")]
pub struct PriorityError(u8);

impl Priority {
    /// The highest.
    pub const HIGHEST: Self = Self(9);
}

impl Default for Priority {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<u8> for Priority {
    type Error = PriorityError;

    fn try_from(number: u8) -> Result<Self, PriorityError> {
        if number <= Self::HIGHEST.0 { Ok(Self(number)) } else { Err(PriorityError(number)) }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// Where a workspace goes among the nodes that would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// To the least loaded, so that all are used alike.
    #[default]
    Spread,
    /// To the most loaded, so that others become empty and can be taken away.
    Pack,
}

/// A node, and why it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The node.
    pub node: NodeId,
    /// The nodes there were.
    pub nodes: u64,
    /// Those of them that would have done, as far as they were looked at for room.
    pub candidates: u64,
    /// What spoke for it, the weightiest first.
    pub why: Vec<Why>,
    /// How many were passed over, and why.
    pub rejected: Rejected,
}

/// What spoke for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It was asked for.
    Named,
    /// The workspace is there already.
    Held,
    /// It has the labels that are asked for.
    Selected(String),
    /// It has this taint, which is put up with.
    Tolerated(String),
    /// It has a taint that had better be avoided, but no other node would do.
    NoneWithoutTaint,
    /// It has the repository's mirror.
    Mirror(String),
    /// It has no other workspace of the batch.
    Apart(String),
    /// It has others of the batch, as has every node that would do; so many.
    Together(u32),
    /// It was the least loaded of those that were looked at, at so many thousandths.
    LeastLoaded(u16),
    /// It was the most loaded of those that were looked at and had room, at so many thousandths.
    MostLoaded(u16),
}

/// Why a node was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// Another one was asked for.
    NotNamed,
    /// It has been silent for a while.
    Silent,
    /// A person closed it to new work.
    Cordoned,
    /// Its labels are others.
    Labels,
    /// Its sandbox is too weak.
    Weak,
    /// It has a taint that is not tolerated.
    Tainted,
    /// There is too little room now. Counted of those that were looked at.
    Full,
    /// There would be too little room even if nothing ran there.
    TooSmall,
}

/// How many nodes were passed over for each reason. Each is counted once, for the first reason in the order of [`Rejection`].
pub type Rejected = BTreeMap<Rejection, u64>;

/// What is said of nodes that were passed over.
#[must_use]
pub fn told(rejected: &Rejected) -> String {
    let one = |(why, count): (&Rejection, &u64)| format!("{count} {}", why.of(*count));
    rejected.iter().filter(|(_, count)| **count > 0).map(one).collect::<Vec<_>>().join(", ")
}

impl Rejection {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 8] =
        [Self::NotNamed, Self::Silent, Self::Cordoned, Self::Labels, Self::Weak, Self::Tainted, Self::Full, Self::TooSmall];

    /// Its name on the wire and in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotNamed => "not-named",
            Self::Silent => "silent",
            Self::Cordoned => "cordoned",
            Self::Labels => "labels",
            Self::Weak => "weak",
            Self::Tainted => "tainted",
            Self::Full => "full",
            Self::TooSmall => "too-small",
        }
    }

    const fn of(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::NotNamed, 1) => "is not the one that was asked for",
            (Self::NotNamed, _) => "are not the one that was asked for",
            (Self::Silent, 1) => "has been silent for a while",
            (Self::Silent, _) => "have been silent for a while",
            (Self::Cordoned, 1) => "is cordoned",
            (Self::Cordoned, _) => "are cordoned",
            (Self::Labels, 1) => "does not match the selector",
            (Self::Labels, _) => "do not match the selector",
            (Self::Weak, 1) => "gives too weak a sandbox",
            (Self::Weak, _) => "give too weak a sandbox",
            (Self::Tainted, 1) => "has a taint that is not tolerated",
            (Self::Tainted, _) => "have a taint that is not tolerated",
            (Self::Full, 1) => "has no room now",
            (Self::Full, _) => "have no room now",
            (Self::TooSmall, 1) => "is too small",
            (Self::TooSmall, _) => "are too small",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |load: &u16| format!("{}.{} %", load / 10, load % 10);
        match self {
            Self::Named => f.write_str("it was asked for"),
            Self::Held => f.write_str("the workspace is there already"),
            Self::Selected(selector) => write!(f, "its labels match {selector}"),
            Self::Tolerated(taint) => write!(f, "its taint {taint} is tolerated"),
            Self::NoneWithoutTaint => f.write_str("it has a taint PreferNoSchedule, but no node without one would do"),
            Self::Mirror(repository) => write!(f, "it has a mirror of {repository}"),
            Self::Apart(batch) => write!(f, "it holds no other workspace of batch {batch}"),
            Self::Together(1) => {
                f.write_str("it holds 1 other workspace of the batch, since every node that would do holds some")
            }
            Self::Together(count) => {
                write!(f, "it holds {count} other workspaces of the batch, since every node that would do holds some")
            }
            Self::LeastLoaded(load) => write!(f, "it was the least loaded, at {}", percent(load)),
            Self::MostLoaded(load) => write!(f, "it was the most loaded with room left, at {}", percent(load)),
        }
    }
}
