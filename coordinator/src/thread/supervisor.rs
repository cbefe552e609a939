//! The supervisor of all threads of this coordinator.
//!
//! A thread whose actor fails is forgotten here; its history is in the store, and its next owner goes on from there.

use super::actor::{ThreadActor, ThreadArguments};
use super::message::ThreadMsg;
use crate::nodes::pool::Reserved;
use capstan_types::id::{NodeId, ThreadId};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use std::collections::HashMap;
use std::time::Duration;

/// How long threads get to end their turns when the coordinator stops.
const GRACE: Duration = Duration::from_secs(10);

/// What the supervisor is asked.
#[derive(Debug)]
pub enum SupervisorMsg {
    /// Run a thread here, and keep what is reserved for it as long.
    Adopt(Box<ThreadArguments>, Reserved, RpcReplyPort<Result<(), String>>),
    /// Give a thread that runs here.
    Find(ThreadId, RpcReplyPort<Option<ActorRef<ThreadMsg>>>),
    /// Tell all threads the same.
    TellAll(ToAll),
    /// Say how many run here.
    Count(RpcReplyPort<usize>),
}

/// What all threads are told.
#[derive(Debug, Clone)]
pub enum ToAll {
    /// A node takes turns again.
    Advance,
    /// End the turns on this node, whose drain is at its deadline, in these words.
    Cancel(NodeId, String),
    /// Begin no turn that waits any more.
    Close,
    /// Stop, and leave the turn that runs to the next coordinator.
    HandOver,
}

/// The supervisor of threads.
#[derive(Debug)]
pub struct ThreadSupervisor;

/// The threads that run here.
#[derive(Debug, Default)]
pub struct SupervisorState {
    threads: HashMap<ThreadId, ActorRef<ThreadMsg>>,
    names: HashMap<ActorId, Reserved>,
}

impl SupervisorState {
    fn forget(&mut self, actor: ActorId) {
        if let Some(thread) = self.names.remove(&actor).map(|reserved| reserved.thread()) {
            // Another one may run the thread by now.
            let _ = self.threads.extract_if(|id, held| *id == thread && held.get_id() == actor).next();
        }
    }
}

impl Actor for ThreadSupervisor {
    type Msg = SupervisorMsg;
    type State = SupervisorState;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<SupervisorMsg>, (): ()) -> Result<SupervisorState, ActorProcessingErr> {
        Ok(SupervisorState::default())
    }

    async fn handle(
        &self,
        me: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Adopt(arguments, reserved, reply) => {
                let thread = reserved.thread();
                match Actor::spawn_linked(None, ThreadActor, *arguments, me.get_cell()).await {
                    Ok((actor, _)) => {
                        state.names.insert(actor.get_id(), reserved);
                        state.threads.insert(thread, actor);
                        let _ = reply.send(Ok(()));
                    }
                    Err(error) => {
                        let _ = reply.send(Err(error.to_string()));
                    }
                }
            }
            SupervisorMsg::TellAll(told) => {
                for actor in state.threads.values() {
                    // It fails only for one that has stopped.
                    let _ = actor.cast(match &told {
                        ToAll::Advance => ThreadMsg::Advance,
                        ToAll::Cancel(node, by) => ThreadMsg::Cancel(node.clone(), by.clone()),
                        ToAll::Close => ThreadMsg::Close,
                        ToAll::HandOver => ThreadMsg::HandOver,
                    });
                }
            }
            SupervisorMsg::Count(reply) => {
                let _ = reply.send(state.threads.len());
            }
            SupervisorMsg::Find(thread, reply) => {
                let _ = reply.send(state.threads.get(&thread).cloned());
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(actor, ..) => state.forget(actor.get_id()),
            SupervisionEvent::ActorFailed(actor, error) => {
                tracing::error!(%error, "a thread's actor failed");
                state.forget(actor.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, me: ActorRef<SupervisorMsg>, _: &mut SupervisorState) -> Result<(), ActorProcessingErr> {
        // Children that are not stopped here would be killed, and a killed thread cannot store the end of its turn.
        me.stop_children_and_wait(Some("the coordinator stops".to_owned()), Some(GRACE)).await;
        Ok(())
    }
}
