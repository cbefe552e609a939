//! How much of the view may be believed now.

use capstan_types::id::NodeId;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// How much of the view may be believed now. What runs goes on in any case; nothing new is begun on guesses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Set: the view is as old as this says, and nobody knows what has changed since.
    pub stale: Option<Stale>,
    /// Nodes in the view that vanished together with many others, so that the registry is doubted rather than they.
    pub suspects: BTreeSet<NodeId>,
}

/// The registry says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// For how long; `None` when it never said anything.
    pub silent: Option<Duration>,
    /// What stands in the way.
    pub why: String,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.silent {
            Some(silent) => write!(f, "the registry has said nothing for {} s ({})", silent.as_secs(), self.why),
            None => write!(f, "the registry has not said anything yet ({})", self.why),
        }
    }
}
