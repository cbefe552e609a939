//! The thread's actor: it owns the log and the running turn, and nothing slow happens in its handler.

mod at_workspace;
mod queueing;

use super::begin::Begin;
use super::context::TurnContext;
use super::continued::Unfinished;
use super::handle::TurnHandle;
use super::log::{Draft, LogTask};
use super::loose_ends;
use super::message::{ThreadMsg, TurnRefused};
use super::queue::TurnQueue;
use super::steer::SteerRefused;
use super::tally::Tally;
use super::turn;
use crate::nodes::host::files::Workplace;
use capstan_tools::host::ExecHost as _;
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::thread::{OnInterrupt, TurnInput};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

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
    /// A turn that another coordinator did not live to end: it goes on at once.
    pub unfinished: Option<Box<Unfinished>>,
    /// The turns that wait, as they are stored.
    pub queue: TurnQueue,
}

/// What a thread holds.
#[derive(Debug)]
pub struct ThreadState {
    context: Arc<TurnContext>,
    tally: Tally,
    at_end: OnInterrupt,
    running: Option<RunningTurn>,
    /// While any waits, one runs, or the node takes none.
    queue: TurnQueue,
    /// Held by whoever undoes a turn: no turn runs meanwhile.
    undoing: Arc<()>,
    /// What runs is left to the next coordinator.
    handed_over: bool,
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

    async fn pre_start(&self, me: ActorRef<ThreadMsg>, given: ThreadArguments) -> Result<ThreadState, ActorProcessingErr> {
        let mut log = JoinSet::new();
        log.spawn(given.log.run());
        let ThreadArguments { context, tally, turns: mut begun, at_end, unfinished, queue, .. } = given;
        begun.extend(queue.turns());
        let (ownership, itself) = (context.log.ownership().clone(), me.clone());
        log.spawn(async move {
            ownership.lost().await;
            let _ = itself.cast(ThreadMsg::OwnershipLost);
        });
        let mut state = ThreadState {
            context,
            tally,
            at_end,
            running: None,
            queue,
            undoing: Arc::default(),
            handed_over: false,
            begun,
            turns: JoinSet::new(),
            _log: log,
        };
        match unfinished {
            Some(unfinished) => state.run(unfinished.turn, Begin::Again(unfinished), &me),
            None => state.advance(&me),
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<ThreadMsg>,
        message: ThreadMsg,
        state: &mut ThreadState,
    ) -> Result<(), ActorProcessingErr> {
        // Finished tasks stay in a JoinSet until asked for, and a thread without turns is still looked at, listened to and compared.
        while state.turns.try_join_next().is_some() {}
        match message {
            ThreadMsg::StartTurn(turn, input, reply) => {
                let _ = reply.send(state.start(turn, input, &me));
            }
            ThreadMsg::QueueTurn(turn, input, reply) => {
                state.enqueue(turn, input, reply, &me);
            }
            ThreadMsg::Queued(reply) => {
                let _ = reply.send(state.queue.list());
            }
            ThreadMsg::Withdraw(turn, reply) => state.withdraw(turn, reply),
            ThreadMsg::NotQueued(turn) => state.forget(turn),
            ThreadMsg::Advance => state.advance(&me),
            ThreadMsg::Cancel(node, by) => {
                state.settle();
                if let Some(running) = state.running.as_ref().filter(|_| state.context.host.node() == node) {
                    running.handle.cancel(&by);
                }
            }
            ThreadMsg::Close => drop(state.queue.clear()),
            ThreadMsg::HandOver => {
                state.handed_over = true;
                drop(state.queue.clear());
                me.stop(Some("the thread is handed over".to_owned()));
            }
            ThreadMsg::Steer(meant, text, reply) => state.steer(meant, text, reply),
            ThreadMsg::OwnershipLost => state.let_go(&me),
            ThreadMsg::Interrupt(sessions, reply) => {
                state.settle();
                if let Some(running) = &state.running {
                    running.handle.interrupt(sessions);
                }
                let _ = reply.send(state.running.as_ref().map(|running| running.id));
            }
            ThreadMsg::Subscribe(reply) => {
                let log = state.context.log.clone();
                // The log's queue may be full for a moment, so the wait does not happen here.
                state.turns.spawn(async move {
                    let _ = reply.send(log.subscribe().await);
                });
            }
            ThreadMsg::IsBusy(reply) => {
                state.advance(&me);
                let _ = reply.send(state.running.is_some());
            }
            ThreadMsg::Sessions(reply) => {
                let _ = reply.send(state.context.sessions.known());
            }
            ThreadMsg::Workplace(reply) => {
                let (host, top) = (Arc::clone(&state.context.host), state.context.facts.root.clone());
                let _ = reply.send(Workplace { host, top, policy: state.context.policy() });
            }
            ThreadMsg::Diff(turn, most, reply) => {
                let (host, policy) = (Arc::clone(&state.context.host), state.context.policy());
                state.turns.spawn(async move { drop(reply.send(host.diff(&policy, turn, most, false).await)) });
            }
            ThreadMsg::Patch(turn, reply) => {
                let (host, policy) = (Arc::clone(&state.context.host), state.context.policy());
                state.turns.spawn(async move { drop(reply.send(host.patch(&policy, turn).await)) });
            }
            ThreadMsg::Undo(turn, force, reply) => {
                state.advance(&me);
                state.undo(turn, force, reply, &me);
            }
            ThreadMsg::Context(reply) => drop(reply.send(Arc::clone(&state.context))),
            ThreadMsg::Lend(errand, reply) => {
                state.advance(&me);
                let _ = reply.send(state.lend(errand, &me));
            }
            ThreadMsg::TurnEnded(turn) => {
                state.settle();
                if let Some(dead) = state.running.take_if(|running| running.id == turn) {
                    state.follow(&dead.handle);
                    state.bury(dead, &me);
                }
                state.advance(&me);
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<ThreadMsg>, state: &mut ThreadState) -> Result<(), ActorProcessingErr> {
        if state.handed_over {
            // What is stored is all that the next coordinator needs, as after a crash; what is under way on the node runs on.
            state.turns.shutdown().await;
            return Ok(());
        }
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
    fn start(&mut self, id: TurnId, input: Box<TurnInput>, me: &ActorRef<ThreadMsg>) -> Result<(), TurnRefused> {
        if self.begun.contains(&id) {
            return Ok(());
        }
        self.advance(me);
        if let Some(running) = &self.running {
            return Err(TurnRefused::Running(running.id));
        }
        self.may_begin(&input)?;
        self.launch(id, *input, me);
        Ok(())
    }

    fn may_begin(&self, input: &TurnInput) -> Result<(), TurnRefused> {
        if self.waits_for_node() {
            return Err(TurnRefused::Draining(self.context.host.node()));
        }
        self.makes_sense(input)
    }

    /// Whether the node begins no turn now. A thread that was placed there has its first one all the same.
    fn waits_for_node(&self) -> bool {
        self.context.host.doorway().is_closed() && !self.begun.is_empty()
    }

    fn makes_sense(&self, input: &TurnInput) -> Result<(), TurnRefused> {
        if self.is_held() {
            return Err(TurnRefused::Undoing);
        }
        if input.text.trim().is_empty() && input.images.is_empty() && !input.compact {
            return Err(TurnRefused::Empty);
        }
        Ok(())
    }

    fn launch(&mut self, id: TurnId, input: TurnInput, me: &ActorRef<ThreadMsg>) {
        self.begun.insert(id);
        self.run(id, Begin::New(Box::new(input)), me);
    }

    fn run(&mut self, id: TurnId, begin: Begin, me: &ActorRef<ThreadMsg>) {
        let handle = TurnHandle::default();
        let (context, shared, before) = (Arc::clone(&self.context), handle.clone(), self.tally.clone());
        let (farewell, stay) = (Farewell { thread: me.clone(), turn: id }, self.context.host.doorway().enter());
        self.turns.spawn(async move {
            let _said_on_drop = (stay, farewell);
            turn::run(&context, id, begin, before, shared).await;
        });
        self.running = Some(RunningTurn { id, handle });
    }

    fn steer(&mut self, meant: Option<TurnId>, text: String, reply: RpcReplyPort<Result<TurnId, SteerRefused>>) {
        self.settle();
        let refused = match &self.running {
            None => SteerRefused::NothingRuns,
            Some(running) if meant.is_some_and(|meant| meant != running.id) => SteerRefused::Another(running.id),
            Some(_) if text.trim().is_empty() => SteerRefused::Empty,
            Some(running) => {
                let (turn, steering, context) = (running.id, running.handle.steering.clone(), Arc::clone(&self.context));
                self.turns.spawn(async move {
                    let told = steering.say(&context.log, &context.numbers, turn, text).await;
                    let _ = reply.send(told.map(|()| turn));
                });
                return;
            }
        };
        let _ = reply.send(Err(refused));
    }

    /// Stops without a trace in the store: what the thread does from here on is its next owner's.
    fn let_go(&mut self, me: &ActorRef<ThreadMsg>) {
        let why = self.context.log.ownership().why();
        tracing::warn!(thread = %self.context.thread, ?why, "the thread is let go");
        // Its sessions are those of whoever opens it next.
        self.at_end = OnInterrupt::KeepSessions;
        drop(self.queue.clear());
        me.stop(Some("the thread is let go".to_owned()));
    }

    /// Ends a turn whose task died before it could, so that nobody waits for its end for ever. The next one begins after that.
    fn bury(&mut self, dead: RunningTurn, me: &ActorRef<ThreadMsg>) {
        let (turn, handle) = (dead.id, dead.handle.clone());
        tracing::error!(%turn, "a turn's task died");
        let (context, tally) = (Arc::clone(&self.context), self.tally.clone());
        let message =
            "the turn failed inside Capstan; what it had done until then is stored, and another turn can go on from there";
        let entries = handle.steering.close().into_iter().map(|text| Entry::User { text, images: Vec::new() });
        let entries: Vec<Draft> = entries.map(|entry| Draft::Entry(turn, entry)).collect();
        // It may have died before its beginning was stored.
        let end = [Draft::Unqueued(turn), Draft::Event(Some(turn), EventBody::TurnFailed { message: message.to_owned() })];
        let farewell = Farewell { thread: me.clone(), turn };
        self.turns.spawn(async move {
            let _said_on_drop = farewell;
            let drafts = loose_ends::of_dead(&context, turn).await.into_iter().chain(entries).chain(end);
            let submitted = context.log.submit(drafts.collect()).await;
            // As a turn does that ends by itself: before anybody can hear of it.
            let _ = handle.ended.set(tally);
            // If the log is gone too, the thread is stopping and its listeners hear that.
            if let Ok(submitted) = submitted {
                let _ = submitted.stored().await;
            }
        });
        self.running = Some(dead);
    }

    /// Takes note of a turn that has ended, and starts the next one that waits.
    fn advance(&mut self, me: &ActorRef<ThreadMsg>) {
        self.settle();
        if self.running.is_none()
            && !self.is_held()
            && !self.waits_for_node()
            // What waits in a thread that is let go begins with its next owner.
            && self.context.log.ownership().why().is_none()
            && let Some((turn, input)) = self.queue.pop()
        {
            self.launch(turn, *input, me);
        }
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
