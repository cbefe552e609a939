//! The order of the calls of one answer: what writes a thing that others touch has it alone, in the order asked; the rest runs side by side.

use capstan_tools::effects::{Effects, Hold};
use capstan_types::id::NodeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// What the calls of a turn take turns at. A lock lets in whoever came first, and calls come in the order asked. Hosts share no files, so each has
/// a lock of its own.
#[derive(Debug, Default)]
pub struct Order {
    workspaces: Mutex<BTreeMap<NodeId, Arc<RwLock<()>>>>,
    plan: Arc<RwLock<()>>,
}

/// Lets the next one in when dropped.
#[derive(Debug)]
pub struct InTurn {
    _workspaces: Vec<Held>,
    _plan: Held,
}

#[derive(Debug)]
#[expect(dead_code, reason = "a guard works by being held")]
enum Held {
    Nothing,
    Shared(OwnedRwLockReadGuard<()>),
    Alone(OwnedRwLockWriteGuard<()>),
}

impl Order {
    /// Waits until it is the turn of a call with such effects on these hosts. Of several, each is waited for in the order of their names, and no
    /// call has one alone that waits for another.
    pub async fn enter(&self, hosts: &[NodeId], effects: Effects) -> InTurn {
        let (mut hosts, mut workspaces) = (hosts.iter().collect::<Vec<_>>(), Vec::new());
        hosts.sort();
        for host in hosts {
            workspaces.push(held(self.workspace(host), effects.on_workspace()).await);
        }
        InTurn { _workspaces: workspaces, _plan: held(Arc::clone(&self.plan), effects.on_plan()).await }
    }

    fn workspace(&self, host: &NodeId) -> Arc<RwLock<()>> {
        Arc::clone(self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).entry(host.clone()).or_default())
    }
}

async fn held(lock: Arc<RwLock<()>>, hold: Hold) -> Held {
    match hold {
        Hold::Nothing => Held::Nothing,
        Hold::Share => Held::Shared(lock.read_owned().await),
        Hold::Alone => Held::Alone(lock.write_owned().await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::join_all;
    use std::sync::Mutex;

    fn host(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    /// Which calls run at the same time, when each lets go once all that could begin have.
    async fn rounds(effects: &[Effects]) -> Vec<Vec<usize>> {
        let (order, rounds) = (Order::default(), Mutex::new(vec![Vec::new()]));
        let call = |number: usize, effects| {
            let (order, rounds) = (&order, &rounds);
            async move {
                let _turn = order.enter(&[host("a")], effects).await;
                rounds.lock().unwrap().last_mut().unwrap().push(number);
                for _ in 0..5 {
                    tokio::task::yield_now().await;
                }
                let mut rounds = rounds.lock().unwrap();
                if !rounds.last().unwrap().is_empty() {
                    rounds.push(Vec::new());
                }
            }
        };
        join_all(effects.iter().enumerate().map(|(number, effects)| call(number, *effects))).await;
        rounds.into_inner().unwrap().into_iter().filter(|round| !round.is_empty()).collect()
    }

    #[tokio::test]
    async fn programs_and_readers_run_together_and_a_writer_in_its_place() {
        use Effects::{Reads, Runs, Writes};
        assert_eq!(
            rounds(&[Runs, Reads, Runs, Writes, Writes, Runs, Reads]).await,
            [vec![0, 1, 2], vec![3], vec![4], vec![5, 6]]
        );
    }

    #[tokio::test]
    async fn writers_on_different_hosts_do_not_wait_for_each_other() {
        let (order, a, b) = (Order::default(), [host("a")], [host("b")]);
        let writer = order.enter(&a, Effects::Writes).await;
        let other = order.enter(&b, Effects::Writes).now_or_never().expect("another host");
        assert!(order.enter(&a, Effects::Writes).now_or_never().is_none());
        let both = [host("b"), host("a")];
        assert!(order.enter(&both, Effects::Runs).now_or_never().is_none());
        drop((writer, other));
        let everywhere = order.enter(&both, Effects::Runs).now_or_never().expect("both are free");
        assert!(order.enter(&a, Effects::Writes).now_or_never().is_none());
        drop(everywhere);
    }

    #[tokio::test]
    async fn what_touches_nothing_waits_for_nobody_and_plans_come_in_order() {
        let order = Order::default();
        let writer = order.enter(&[host("a")], Effects::Writes).await;
        assert!(order.enter(&[host("a")], Effects::Nothing).now_or_never().is_some());
        let plan = order.enter(&[host("a")], Effects::Plans).now_or_never().expect("the plan is no part of the workspace");
        assert!(order.enter(&[host("a")], Effects::Plans).now_or_never().is_none());
        assert!(order.enter(&[host("a")], Effects::Runs).now_or_never().is_none());
        drop((writer, plan));
        assert!(order.enter(&[host("a")], Effects::Plans).now_or_never().is_some());
    }
}
