//! What is reserved for a thread on a node, as a value that somebody holds.
//!
//! Invariant: what is reserved is given back when nobody holds it any more, also when the answer that carried it was never read.

use super::PoolMsg;
use super::desk::Ticket;
use capstan_types::id::ThreadId;
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

    /// Whose it is.
    #[must_use]
    pub const fn thread(&self) -> ThreadId {
        self.thread
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // It fails only when the coordinator is stopping.
        let _ = self.pool.cast(PoolMsg::GiveBack(self.thread, self.ticket));
    }
}
