//! Where a thread is forked, and with which files.

use capstan_types::id::TurnId;

/// Where a thread is forked, and with which files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForkAt {
    /// The last turn that the fork has; the last one that has ended if none is named.
    pub turn: Option<TurnId>,
    /// Whether it gets a workspace of its own, as it was at the end of that turn.
    pub workspace: bool,
}
