//! Finds the node that a thread's workspace is on, or is to be on.

use super::located::Located;
use super::open::{ASK_DEADLINE, CreateError, Threads};
use crate::nodes::far_host::FarHost;
use crate::nodes::host::NodeHost;
use crate::nodes::pool::{InLine, PATIENCE, PoolMsg};
use crate::placement::need::{Need, Wanted};
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::hosts::{HostsAsked, ThreadHost};
use capstan_types::id::{Epoch, NodeId, ThreadId};
use capstan_types::session::Authority;
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use futures::future::join_all;
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
        let mut asked = settings.clone();
        // Home is one of the hosts, unless something else is said of it.
        let wanted = match (&settings.placement.hosts, wanted) {
            (Some(HostsAsked::Named(hosts)), Wanted::Any) if settings.placement.selector.is_empty() => {
                hosts.first().map_or(Wanted::Any, |first| Wanted::Named(first.node.clone()))
            }
            (Some(HostsAsked::Selected(selector)), Wanted::Any) if settings.placement.selector.is_empty() => {
                asked.placement.selector = selector.clone();
                Wanted::Any
            }
            (_, wanted) => wanted,
        };
        self.locate(thread, epoch, &asked, wanted).await
    }

    /// How a thread that is being created waits for room, if it does.
    ///
    /// # Errors
    /// The coordinator is stopping.
    pub async fn in_line(&self, thread: ThreadId) -> Result<Option<InLine>, AskError> {
        ask(&self.pool, ASK_DEADLINE, |reply| PoolMsg::InLine(thread, reply)).await
    }

    /// The hosts that a thread may use besides `home`, as its settings ask for them.
    pub(super) async fn gather(&self, settings: &ThreadSettings, home: &NodeId) -> Result<Vec<ThreadHost>, CreateError> {
        let Some(asked) = settings.placement.hosts.clone() else { return Ok(Vec::new()) };
        let placement = settings.placement.clone();
        let gathered =
            ask(&self.pool, ASK_DEADLINE, |reply| PoolMsg::Gather(asked, placement, settings.level(), reply)).await??;
        Ok(gathered.into_iter().filter(|host| host.node != *home).collect())
    }

    /// The hosts of a thread besides its home that are there now.
    pub(super) async fn others_now(&self, record: &ThreadRecord) -> Vec<NodeHost> {
        let authority = Authority { thread: record.id, epoch: record.epoch, owner: self.name.clone() };
        let far = |host: &ThreadHost| FarHost::new(host.node.clone(), self.pool.clone(), authority.clone());
        let others: Vec<FarHost> = record.settings.hosts.iter().map(far).collect();
        let now = join_all(others.iter().map(FarHost::now)).await;
        now.into_iter()
            .filter_map(|host| host.inspect_err(|error| tracing::warn!(thread = %record.id, %error, "a host is away")).ok())
            .collect()
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
