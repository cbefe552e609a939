//! What a drain of a node, and the end of a coordinator, ask of all threads.

use super::open::{ASK_DEADLINE, Threads};
use super::supervisor::{SupervisorMsg, ToAll};
use crate::nodes::pool::PoolMsg;
use capstan_registry::Registry;
use capstan_runtime::actors::ask::ask;
use capstan_types::id::NodeId;
use std::collections::BTreeSet;

/// Threads of other coordinators that are read to see whether a turn of theirs runs.
const MOST_READ: usize = 256;

impl Threads {
    /// Turns that waited for a node may begin.
    pub(crate) fn advance_all(&self) {
        self.tell_all(ToAll::Advance);
    }

    /// Ends the turns of this coordinator on a node, with their sessions.
    pub(crate) fn cancel_on(&self, node: &NodeId, by: &str) {
        self.tell_all(ToAll::Cancel(node.clone(), by.to_owned()));
    }

    /// Stops all threads, and leaves their turns to the next coordinator.
    pub(crate) fn hand_over(&self) {
        self.tell_all(ToAll::HandOver);
    }

    /// Lets nothing new begin here, neither turns that wait: they are stored, and the next coordinator begins them.
    pub(crate) fn close(&self) {
        self.closing.cancel();
        self.tell_all(ToAll::Close);
    }

    /// How many threads run here.
    pub(crate) async fn count(&self) -> usize {
        ask(&self.supervisor, ASK_DEADLINE, SupervisorMsg::Count).await.unwrap_or(0)
    }

    /// How many turns run here, as far as their nodes are registered.
    pub(crate) async fn turns(&self) -> u32 {
        let links = ask(&self.pool, ASK_DEADLINE, PoolMsg::Links).await.unwrap_or_default();
        links.iter().map(|link| link.doorway().turns()).sum()
    }

    fn tell_all(&self, told: ToAll) {
        // It fails only when the coordinator is stopping.
        let _ = self.supervisor.cast(SupervisorMsg::TellAll(told));
    }

    /// How many turns other coordinators run on a node, as far as the store that they share with this one says so.
    pub(crate) async fn turns_elsewhere(&self, node: &NodeId, registry: &dyn Registry) -> u32 {
        let (Ok(alive), Ok(unsettled)) = (registry.coordinators().await, self.store.unsettled().await) else { return 0 };
        let alive: BTreeSet<String> = alive.into_iter().map(|record| record.id).collect();
        let others = unsettled.into_iter().filter(|(_, owner)| *owner != self.name && alive.contains(owner));
        let mut turns = 0;
        for (thread, _) in others.take(MOST_READ) {
            let Ok(Some(record)) = self.store.thread(thread).await else { continue };
            if record.settings.node.as_ref() == Some(node)
                && self.recall(thread).await.is_ok_and(|recalled| recalled.unfinished.is_some())
            {
                turns += 1;
            }
        }
        turns
    }
}
