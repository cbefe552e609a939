//! The node that a thread's workspace is on, and what is reserved there.
//!
//! Invariant: what is reserved for a thread is given back when nobody runs it here any more, whatever way its opening or its actor ended.

use crate::nodes::host::NodeHost;
use crate::nodes::pool::Reserved;
use capstan_types::placement::Choice;

/// The node of a thread, its hands there, and what is reserved.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) host: NodeHost,
    pub(super) choice: Choice,
    pub(super) reserved: Reserved,
}
