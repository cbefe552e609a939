//! What is done at the workspace between turns: undoing one, and errands.

use super::ThreadState;
use crate::thread::errand::Errand;
use crate::thread::message::{ThreadMsg, TurnRefused};
use capstan_types::checkpoint::Undo;
use ractor::{ActorRef, RpcReplyPort};
use std::sync::Arc;
use tonic::Status;

impl ThreadState {
    pub(super) fn undo(
        &mut self,
        turn: String,
        force: bool,
        reply: RpcReplyPort<Result<Undo, Status>>,
        me: &ActorRef<ThreadMsg>,
    ) {
        if let Err(refused) = self.is_free() {
            let _ = reply.send(Err(Status::failed_precondition(refused.to_string())));
            return;
        }
        let hold = Hold { thread: me.clone(), undoing: Some(Arc::clone(&self.undoing)) };
        let (host, policy) = (Arc::clone(&self.context.host), self.context.policy());
        self.turns.spawn(async move {
            let undone = host.undo(&policy, turn, force).await;
            drop(hold);
            let _ = reply.send(undone);
        });
    }

    /// Whether nothing is at the workspace.
    pub(super) fn is_free(&self) -> Result<(), TurnRefused> {
        match &self.running {
            Some(running) => Err(TurnRefused::Running(running.id)),
            None if self.is_held() => Err(TurnRefused::Undoing),
            None => Ok(()),
        }
    }

    /// Whether a turn is being undone, or an errand is under way.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.undoing) > 1
    }

    /// Does it in a task of the thread's own: the node goes on with it, whether or not whoever asked still waits.
    pub(super) fn lend(&mut self, errand: Errand, me: &ActorRef<ThreadMsg>) -> Result<(), TurnRefused> {
        self.is_free()?;
        let hold = Hold { thread: me.clone(), undoing: Some(Arc::clone(&self.undoing)) };
        let context = Arc::clone(&self.context);
        self.turns.spawn(async move {
            let _hold = hold;
            errand.run(context).await;
        });
        Ok(())
    }
}

/// While it is there no turn begins. What waits begins after it.
#[derive(Debug)]
struct Hold {
    thread: ActorRef<ThreadMsg>,
    undoing: Option<Arc<()>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        drop(self.undoing.take());
        // It fails only when the thread has stopped.
        let _ = self.thread.cast(ThreadMsg::Advance);
    }
}
