//! Finds the node that a thread's workspace is on, or is to be on.

use super::located::Located;
use super::open::{ASK_DEADLINE, CreateError, Threads};
use crate::nodes::host::NodeHost;
use crate::nodes::pool::{PATIENCE, PoolMsg};
use crate::placement::need::{Need, Wanted};
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{Epoch, ThreadId};
use capstan_types::session::Authority;
use capstan_types::thread::ThreadSettings;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

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
        let host = NodeHost::new(placed.link, Authority { thread, epoch, owner: self.name.clone() });
        Ok(Located { host, choice: placed.choice, reserved: placed.reserved })
    }
}

/// A thread is placed the same way when its request is repeated.
fn seed(thread: ThreadId) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(thread)
}
