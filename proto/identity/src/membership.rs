//! What makes a process a member of its cluster: its identity, and where it writes what it refused.

use crate::audit::Audit;
use crate::live::Live;

/// A member. Clones share everything.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Who it is, and whom it believes.
    pub live: Live,
    /// Where it writes whom it refused, and what it granted.
    pub audit: Audit,
}
