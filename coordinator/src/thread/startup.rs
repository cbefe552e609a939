//! What a coordinator does at its start for the threads of its line whose turns have no end, and for those whose sessions still run: they get an
//! owner again.
//!
//! The store and the nodes say which threads these are, so that no other thread is read. Bounded in every way: a node that stays away is asked so often
//! and no more, and a thread that cannot be opened is left to the client that asks for it next.

use super::open::{ASK_DEADLINE, CreateError, Threads};
use super::recall::Recalled;
use crate::nodes::link::NodeLink;
use crate::nodes::pool::PoolMsg;
use capstan_registry::{NodeEvent, Registry};
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::session::ListedState;
use futures::{StreamExt as _, stream};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Threads that are opened at the same time.
const AT_ONCE: usize = 8;

/// The waits before a node that did not answer is asked again.
const WAITS: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

impl Threads {
    /// Opens the threads of this coordinator's line whose sessions run on any node, now and as nodes come that were not there. Those that run here
    /// already are left alone. It never ends by itself.
    pub(crate) async fn own_again(&self, registry: Arc<dyn Registry>) {
        let mut watch = registry.watch().await;
        let (mut looked, mut looking) = (BTreeSet::new(), JoinSet::new());
        loop {
            let joined = match watch.next().await {
                NodeEvent::Resync(records) => records,
                NodeEvent::Joined(record) => vec![record],
                NodeEvent::Left(..) => Vec::new(),
            };
            while looking.try_join_next().is_some() {} // a JoinSet keeps finished tasks until asked
            // Each once: what a node runs after that was begun by a coordinator that lives, or is asked for by its client.
            for node in joined.into_iter().map(|record| record.id).filter(|node| looked.insert(node.clone())) {
                let threads = self.clone();
                looking.spawn(async move { threads.own_on(node).await });
            }
        }
    }

    /// Opens the threads of this coordinator's line whose turns have no end, so that these go on whether a client asks or not.
    pub(crate) async fn go_on(&self) {
        self.own_those("the store", || self.unfinished_threads()).await;
    }

    /// The threads that have such a turn. `None`: the store did not say.
    async fn unfinished_threads(&self) -> Option<BTreeSet<ThreadId>> {
        let unsettled =
            self.store.unsettled().await.inspect_err(|error| tracing::warn!(%error, "the store gave no list")).ok()?;
        let mut found = BTreeSet::new();
        for (thread, _) in unsettled.into_iter().filter(|(_, owner)| self.inherits(owner)) {
            // One that has begun to run here is no longer what its events said.
            let is_to_run = self.recall(thread).await.map(|recalled| recalled.is_to_run());
            // One that cannot be read keeps no other from going on. It may be readable when it is opened.
            let is_to_run = is_to_run.inspect_err(|error| tracing::error!(%thread, %error, "a thread could not be read"));
            if is_to_run.unwrap_or(true) {
                found.insert(thread);
            }
        }
        Some(found)
    }

    async fn own_on(&self, node: NodeId) {
        self.own_those(node.as_str(), || self.threads_on(&node)).await;
    }

    async fn own_those<F: Future<Output = Option<BTreeSet<ThreadId>>>>(&self, said_by: &str, threads: impl Fn() -> F) {
        let mut left = None;
        for wait in WAITS.iter().map(Some).chain([None]) {
            if left.is_none() {
                left = threads().await;
            }
            if let Some(threads) = left.take() {
                let failed = self.own_all(threads).await;
                if failed.is_empty() {
                    return;
                }
                left = Some(failed);
            }
            if let Some(wait) = wait {
                tokio::time::sleep(*wait).await;
            }
        }
        tracing::warn!(said_by, "not every thread that should run could be opened; the rest is opened when it is asked for");
    }

    /// The threads that have a session which runs there. `None`: it did not say.
    async fn threads_on(&self, node: &NodeId) -> Option<BTreeSet<ThreadId>> {
        let link: NodeLink = ask(&self.pool, ASK_DEADLINE, |reply| PoolMsg::Link(node.clone(), reply)).await.ok()??;
        let listed =
            link.all_sessions().await.inspect_err(|status| tracing::debug!(%node, %status, "a node gave no list")).ok()?;
        let running = listed.into_iter().filter(|session| !matches!(session.state, ListedState::Ended(_)));
        Some(running.map(|session| session.thread).collect())
    }

    async fn own_all(&self, threads: BTreeSet<ThreadId>) -> BTreeSet<ThreadId> {
        let owned = stream::iter(threads).map(|thread| async move {
            let failed = self.own(thread).await.inspect_err(|error| tracing::debug!(%thread, %error, "a thread was not opened"));
            failed.is_err().then_some(thread)
        });
        owned.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
    }

    async fn own(&self, thread: ThreadId) -> Result<(), CreateError> {
        let _alone = self.beginning.enter(thread).await;
        if self.find(thread).await?.is_some() {
            return Ok(());
        }
        match self.store.thread(thread).await?.filter(|record| self.inherits(&record.owner)) {
            Some(record) => Box::pin(self.reopen(record, Recalled::default())).await,
            // Somebody else's, who looks after it.
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
