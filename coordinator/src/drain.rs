//! Drains of nodes, as a coordinator carries them out.
//!
//! What operators ordered is in the registry, so that a drain goes on whoever dies. The coordinator that took the order lists what runs and cancels it
//! when that was asked for; another does so when that one is gone. Each coordinator interrupts the turns that are its own.

mod count;
mod work;

use crate::nodes::link::NodeLink;
use crate::nodes::pool::PoolMsg;
use crate::thread::open::Threads;
use capstan_registry::{AllOrders, Registry};
use capstan_types::id::NodeId;
use capstan_types::node_status::DrainProgress;
use capstan_types::orders::{Closed, Ordered};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// How far the drains are, for those who look. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Drains(Arc<Mutex<BTreeMap<NodeId, Shown>>>);

/// One drain: which order it is of, and how far it is.
#[derive(Debug, Clone)]
struct Shown {
    order: Ordered<Closed>,
    progress: watch::Receiver<Option<DrainProgress>>,
}

impl Drains {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the drain of this order is; `None` when nothing was begun for it yet.
    #[must_use]
    pub fn of(&self, node: &NodeId, order: &Ordered<Closed>) -> Option<watch::Receiver<Option<DrainProgress>>> {
        self.lock().get(node).filter(|shown| shown.order == *order).map(|shown| shown.progress.clone())
    }
}

/// Carries out drains until it is dropped.
#[derive(Debug)]
pub(crate) struct Drainer {
    pub(crate) threads: Threads,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) drains: Drains,
}

/// What is needed for the drain of one node.
#[derive(Debug, Clone)]
struct Hands {
    threads: Threads,
    registry: Arc<dyn Registry>,
    node: NodeId,
    order: Ordered<Closed>,
}

impl Drainer {
    /// Follows what is ordered, with a task for each node that is being drained. Does not end by itself.
    pub(crate) async fn run(self) {
        let mut orders = self.registry.orders().await;
        let (mut tasks, mut under_way) = (JoinSet::new(), BTreeMap::<NodeId, (Ordered<Closed>, AbortHandle)>::new());
        let mut closed = Vec::new();
        loop {
            let newest = Arc::clone(&orders.borrow_and_update());
            self.reopen(&mut closed, &newest);
            under_way.retain(|node, (order, task)| {
                let same = draining(&newest, node) == Some(order);
                // One that is called off or has ended says so itself.
                if !same && draining(&newest, node).is_some() {
                    task.abort();
                }
                same
            });
            for (node, order) in newest.keys().filter_map(|node| Some((node, draining(&newest, node)?))) {
                if !under_way.contains_key(node) {
                    let (told, progress) = watch::channel(None);
                    self.drains.lock().insert(node.clone(), Shown { order: order.clone(), progress });
                    let hands = self.hands(node, order);
                    let task = tasks.spawn(work::drain(hands, told));
                    under_way.insert(node.clone(), (order.clone(), task));
                }
            }
            while tasks.try_join_next().is_some() {} // a JoinSet keeps finished tasks until asked
            if orders.changed().await.is_err() {
                return;
            }
        }
    }

    fn hands(&self, node: &NodeId, order: &Ordered<Closed>) -> Hands {
        let (threads, registry) = (self.threads.clone(), Arc::clone(&self.registry));
        Hands { threads, registry, node: node.clone(), order: order.clone() }
    }

    /// Turns that wait for a node may begin again.
    fn reopen(&self, closed: &mut Vec<NodeId>, orders: &AllOrders) {
        let now: Vec<NodeId> = orders.iter().filter(|(_, orders)| orders.refuses_turns()).map(|(node, _)| node.clone()).collect();
        if closed.iter().any(|node| !now.contains(node)) {
            self.threads.advance_all();
        }
        *closed = now;
    }
}

fn draining<'a>(orders: &'a AllOrders, node: &NodeId) -> Option<&'a Ordered<Closed>> {
    orders.get(node).and_then(|orders| orders.draining()).map(|(_, order)| order)
}

impl Hands {
    async fn link(&self) -> Option<NodeLink> {
        let asked = capstan_runtime::actors::ask::ask(&self.threads.pool, crate::thread::open::ASK_DEADLINE, |reply| {
            PoolMsg::Link(self.node.clone(), reply)
        });
        asked.await.ok().flatten()
    }

    /// Who is said to have ended what a drain ends.
    fn by(&self) -> String {
        match &self.order.reason {
            Some(reason) => format!("the drain of node {} that {} ordered ({reason})", self.node, self.order.by),
            None => format!("the drain of node {} that {} ordered", self.node, self.order.by),
        }
    }
}
