//! The order of the calls of one answer: what writes a thing that others touch has it alone, in the order asked; the rest runs side by side.

use capstan_tools::effects::{Effects, Hold};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What the calls of a turn take turns at. A lock lets in whoever came first, and calls come in the order asked.
#[derive(Debug, Default)]
pub struct Order {
    workspace: RwLock<()>,
    plan: RwLock<()>,
}

/// Lets the next one in when dropped.
#[derive(Debug)]
pub struct InTurn<'a> {
    _workspace: Held<'a>,
    _plan: Held<'a>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "a guard works by being held")]
enum Held<'a> {
    Nothing,
    Shared(RwLockReadGuard<'a, ()>),
    Alone(RwLockWriteGuard<'a, ()>),
}

impl Order {
    /// Waits until it is the turn of a call with such effects.
    pub async fn enter(&self, effects: Effects) -> InTurn<'_> {
        InTurn {
            _workspace: held(&self.workspace, effects.on_workspace()).await,
            _plan: held(&self.plan, effects.on_plan()).await,
        }
    }
}

async fn held(lock: &RwLock<()>, hold: Hold) -> Held<'_> {
    match hold {
        Hold::Nothing => Held::Nothing,
        Hold::Share => Held::Shared(lock.read().await),
        Hold::Alone => Held::Alone(lock.write().await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::join_all;
    use std::sync::Mutex;

    /// Which calls run at the same time, when each lets go once all that could begin have.
    async fn rounds(effects: &[Effects]) -> Vec<Vec<usize>> {
        let (order, rounds) = (Order::default(), Mutex::new(vec![Vec::new()]));
        let call = |number: usize, effects| {
            let (order, rounds) = (&order, &rounds);
            async move {
                let _turn = order.enter(effects).await;
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
    async fn what_touches_nothing_waits_for_nobody_and_plans_come_in_order() {
        let order = Order::default();
        let writer = order.enter(Effects::Writes).await;
        assert!(order.enter(Effects::Nothing).now_or_never().is_some());
        let plan = order.enter(Effects::Plans).now_or_never().expect("the plan is no part of the workspace");
        assert!(order.enter(Effects::Plans).now_or_never().is_none());
        assert!(order.enter(Effects::Runs).now_or_never().is_none());
        drop((writer, plan));
        assert!(order.enter(Effects::Plans).now_or_never().is_some());
    }
}
