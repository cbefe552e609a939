//! What operators did, for people to read.

use crate::operator::Person;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// How many acts are kept of a node. Full: the oldest is forgotten, and [`super::NodeOrders::count`] says so.
pub const KEPT_ACTS: usize = 16;

/// One act of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Which of the node's acts it is, from 1.
    pub number: u64,
    /// What was done.
    pub kind: ActKind,
    /// To what, such as `zone=b`; may be empty.
    #[serde(default)]
    pub what: String,
    /// By whom.
    pub by: Person,
    /// When.
    pub at: UnixMillis,
    /// Why, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// A label was set.
    Labelled,
    /// A label was taken away.
    Unlabelled,
    /// A taint was set.
    Tainted,
    /// A taint was taken away.
    Untainted,
    /// The node was closed to new work.
    Cordoned,
    /// It was opened again.
    Uncordoned,
    /// A drain was begun, or changed.
    Draining,
    /// A drain has come to its end.
    Drained,
    /// Something that a later release does.
    #[serde(other)]
    Other,
}
