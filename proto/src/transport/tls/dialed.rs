//! A connection that a node made in order to be asked.

use super::super::any_wire::AnyWire;
use super::caller::Caller;
use capstan_identity::credentials::Credentials;
use std::fmt;
use std::sync::Arc;

/// A connection that a node made, before anything was said on it.
pub struct DialedIn {
    /// The connection.
    pub stream: AnyWire,
    /// Whose it is, and what this process showed it; none on loopback.
    pub known: Option<(Caller, Arc<Credentials>)>,
}

impl fmt::Debug for DialedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialedIn").field("known", &self.known).finish_non_exhaustive()
    }
}
