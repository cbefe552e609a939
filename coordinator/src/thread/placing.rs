//! The node that a thread's workspace is on: found, reserved, and given back.
//!
//! Invariant: what is reserved for a thread is given back when nobody runs it here any more, whatever way its opening or its actor ended.

use super::open::{ASK_DEADLINE, CreateError, Threads};
use crate::nodes::host::NodeHost;
use crate::nodes::pool::{PATIENCE, PoolMsg, Ticket};
use crate::placement::need::{Need, Wanted};
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{Epoch, ThreadId};
use capstan_types::placement::Choice;
use capstan_types::session::Authority;
use capstan_types::thread::ThreadSettings;
use ractor::ActorRef;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

/// What is reserved for a thread. Dropping it gives that back.
#[derive(Debug)]
pub struct Reserved {
    pool: ActorRef<PoolMsg>,
    thread: ThreadId,
    ticket: Ticket,
}

impl Reserved {
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

impl Threads {
    /// Finds the node of a thread that begins.
    pub(super) async fn locate_new(
        &self,
        thread: ThreadId,
        epoch: Epoch,
        settings: &ThreadSettings,
    ) -> Result<Located, CreateError> {
        let wanted = settings.node.clone().map_or(Wanted::Any, Wanted::Named);
        self.locate(thread, epoch, settings, wanted).await
    }

    /// Finds the node on which a thread's workspace is already.
    pub(super) async fn locate_known(
        &self,
        thread: ThreadId,
        epoch: Epoch,
        settings: &ThreadSettings,
    ) -> Result<Located, CreateError> {
        let wanted = settings.node.clone().map_or(Wanted::Any, Wanted::Held);
        self.locate(thread, epoch, settings, wanted).await
    }

    async fn locate(
        &self,
        thread: ThreadId,
        epoch: Epoch,
        settings: &ThreadSettings,
        wanted: Wanted,
    ) -> Result<Located, CreateError> {
        let need = Box::new(Need::of(&settings.placement, wanted, settings.level(), seed(thread)));
        let placed = ask(&self.pool, PATIENCE + ASK_DEADLINE, |reply| PoolMsg::Place(thread, need, reply)).await??;
        let reserved = Reserved { pool: self.pool.clone(), thread, ticket: placed.ticket };
        let host = NodeHost::new(placed.link, Authority { thread, epoch, owner: self.name.clone() });
        Ok(Located { host, choice: placed.choice, reserved })
    }
}

/// A thread is placed the same way when its request is repeated.
fn seed(thread: ThreadId) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(thread)
}
