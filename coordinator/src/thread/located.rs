//! The node that a thread's workspace is on, and what is reserved there.
//!
//! Invariant: what is reserved for a thread is given back when nobody runs it here any more, whatever way its opening or its actor ended.

use crate::nodes::host::NodeHost;
use crate::nodes::pool::{PoolMsg, Ticket};
use capstan_types::id::ThreadId;
use capstan_types::placement::Choice;
use ractor::ActorRef;

/// What is reserved for a thread. Dropping it gives that back.
#[derive(Debug)]
pub struct Reserved {
    pool: ActorRef<PoolMsg>,
    thread: ThreadId,
    ticket: Ticket,
}

impl Reserved {
    /// What `ticket` stands for.
    pub(super) const fn new(pool: ActorRef<PoolMsg>, thread: ThreadId, ticket: Ticket) -> Self {
        Self { pool, thread, ticket }
    }

    pub(super) const fn thread(&self) -> ThreadId {
        self.thread
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // It fails only when the coordinator is stopping.
        let _ = self.pool.cast(PoolMsg::GiveBack(self.thread, self.ticket));
    }
}

/// The node of a thread, its hands there, and what is reserved.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) host: NodeHost,
    pub(super) choice: Choice,
    pub(super) reserved: Reserved,
}
