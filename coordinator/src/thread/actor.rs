//! The thread's actor: it owns the log and the running turn, and nothing slow happens in its handler.

use super::context::TurnContext;
use super::handle::TurnHandle;
use super::log::{Draft, LogTask};
use super::message::{ThreadMsg, TurnRefused};
use super::tally::Tally;
use super::turn;
use capstan_types::checkpoint::Undo;
use capstan_types::event::EventBody;
use capstan_types::id::TurnId;
use capstan_types::thread::{OnInterrupt, TurnInput};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;
use tonic::Status;

/// One thread.
#[derive(Debug)]
pub struct ThreadActor;

/// What a thread begins with.
#[derive(Debug)]
pub struct ThreadArguments {
    /// What every turn of it needs.
    pub context: Arc<TurnContext>,
    /// The log's task.
    pub log: LogTask,
    /// What was used so far.
    pub tally: Tally,
    /// Turns that were started before.
    pub turns: HashSet<TurnId>,
    /// What becomes of the running turn's sessions when the thread stops.
    pub at_end: OnInterrupt,
}

/// What a thread holds.
#[derive(Debug)]
pub struct ThreadState {
    context: Arc<TurnContext>,
    tally: Tally,
    at_end: OnInterrupt,
    running: Option<RunningTurn>,
    /// Held by whoever undoes a turn: no turn runs meanwhile.
    undoing: Arc<()>,
    // 16 bytes for each turn of the thread: a request that is repeated must find its turn, however late it comes.
    begun: HashSet<TurnId>,
    // Both are dropped with the actor: a turn cannot outlive its thread, and the log ends after the turn has let go of it.
    turns: JoinSet<()>,
    _log: JoinSet<()>,
}

#[derive(Debug)]
struct RunningTurn {
    id: TurnId,
    handle: TurnHandle,
}

impl Actor for ThreadActor {
    type Msg = ThreadMsg;
    type State = ThreadState;
    type Arguments = ThreadArguments;

    async fn pre_start(&self, _: ActorRef<ThreadMsg>, given: ThreadArguments) -> Result<ThreadState, ActorProcessingErr> {
        let mut log = JoinSet::new();
        log.spawn(given.log.run());
        let ThreadArguments { context, tally, turns: begun, at_end, .. } = given;
        Ok(ThreadState {
            context,
            tally,
            at_end,
            running: None,
            undoing: Arc::default(),
            begun,
            turns: JoinSet::new(),
            _log: log,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<ThreadMsg>,
        message: ThreadMsg,
        state: &mut ThreadState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ThreadMsg::StartTurn(turn, input, reply) => {
                let _ = reply.send(state.start(turn, *input, me));
            }
            ThreadMsg::Interrupt(sessions, reply) => {
                if let Some(running) = &state.running {
                    running.handle.interrupt(sessions);
                }
                let _ = reply.send(());
            }
            ThreadMsg::Subscribe(reply) => {
                let log = state.context.log.clone();
                // The log's queue may be full for a moment, so the wait does not happen here.
                state.turns.spawn(async move {
                    let _ = reply.send(log.subscribe().await);
                });
            }
            ThreadMsg::IsBusy(reply) => {
                state.settle();
                let _ = reply.send(state.running.is_some());
            }
            ThreadMsg::Sessions(reply) => {
                let _ = reply.send(state.context.sessions.known());
            }
            ThreadMsg::Diff(turn, most, reply) => {
                let host = Arc::clone(&state.context.host);
                state.turns.spawn(async move { drop(reply.send(host.diff(turn, most, false).await)) });
            }
            ThreadMsg::Undo(turn, force, reply) => state.undo(turn, force, reply),
            ThreadMsg::TurnEnded(turn) => {
                state.settle();
                if let Some(dead) = state.running.take_if(|running| running.id == turn) {
                    state.follow(&dead.handle);
                    state.bury(turn);
                }
                while state.turns.try_join_next().is_some() {} // a JoinSet keeps finished tasks until asked
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<ThreadMsg>, state: &mut ThreadState) -> Result<(), ActorProcessingErr> {
        if let Some(running) = &state.running {
            running.handle.interrupt(state.at_end);
        }
        let ended = async { while state.turns.join_next().await.is_some() {} };
        // A turn that does not let go in time is dropped with the state.
        let _ = tokio::time::timeout(turn::INTERRUPT_GRACE, ended).await;
        Ok(())
    }
}

impl ThreadState {
    fn start(&mut self, id: TurnId, input: TurnInput, me: ActorRef<ThreadMsg>) -> Result<(), TurnRefused> {
        if self.begun.contains(&id) {
            return Ok(());
        }
        self.settle();
        if let Some(running) = &self.running {
            return Err(TurnRefused::Running(running.id));
        }
        if Arc::strong_count(&self.undoing) > 1 {
            return Err(TurnRefused::Undoing);
        }
        if input.text.trim().is_empty() && input.images.is_empty() && !input.compact {
            return Err(TurnRefused::Empty);
        }
        self.begun.insert(id);
        let handle = TurnHandle::default();
        let (context, shared, before) = (Arc::clone(&self.context), handle.clone(), self.tally.clone());
        let farewell = Farewell { thread: me, turn: id };
        self.turns.spawn(async move {
            let _said_on_drop = farewell;
            turn::run(&context, id, input, before, shared).await;
        });
        self.running = Some(RunningTurn { id, handle });
        Ok(())
    }

    fn undo(&mut self, turn: String, force: bool, reply: RpcReplyPort<Result<Undo, Status>>) {
        self.settle();
        if let Some(running) = &self.running {
            let _ = reply.send(Err(Status::failed_precondition(TurnRefused::Running(running.id).to_string())));
            return;
        }
        let (host, undoing) = (Arc::clone(&self.context.host), Arc::clone(&self.undoing));
        self.turns.spawn(async move {
            let undone = host.undo(turn, force).await;
            drop(undoing);
            let _ = reply.send(undone);
        });
    }

    /// Ends a turn whose task died before it could, so that nobody waits for its end for ever.
    fn bury(&mut self, turn: TurnId) {
        tracing::error!(%turn, "a turn's task died");
        let log = self.context.log.clone();
        let message =
            "the turn failed inside Capstan; what it had done until then is stored, and another turn can go on from there";
        let end = Draft::Event(Some(turn), EventBody::TurnFailed { message: message.to_owned() });
        self.turns.spawn(async move {
            // If the log is gone too, the thread is stopping and its listeners hear that.
            let _ = log.record(vec![end]).await;
        });
    }

    /// Takes note of a turn that has ended.
    fn settle(&mut self) {
        let ended = |running: &mut RunningTurn| running.handle.ended.get().is_some();
        if let Some(over) = self.running.take_if(ended) {
            if let Some(tally) = over.handle.ended.get() {
                self.tally = tally.clone();
            }
            self.follow(&over.handle);
        }
    }

    /// What a turn changed in the settings holds for those after it.
    fn follow(&mut self, turn: &TurnHandle) {
        if let Some(changed) = turn.changed.get() {
            self.context = Arc::clone(changed);
        }
    }
}

/// Tells the thread that its turn's task is over, also when the task panicked.
#[derive(Debug)]
struct Farewell {
    thread: ActorRef<ThreadMsg>,
    turn: TurnId,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        // It fails only when the thread has stopped.
        let _ = self.thread.cast(ThreadMsg::TurnEnded(self.turn));
    }
}

#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;
