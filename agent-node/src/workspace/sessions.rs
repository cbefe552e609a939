//! The sessions of one workspace: started once per try of a call, found by their id, forgotten when they are released.

use crate::error::NodeError;
use crate::node::capacity::{Place, Places};
use crate::session::actor::{SessionActor, SessionArgs};
use crate::session::launcher::{Launched, Launcher, Program};
use crate::session::message::{SessionDoor, SessionMsg};
use crate::session::runner::LaunchError;
use crate::workspace::message::{CallKey, Reply, WorkspaceFact, WorkspaceFacts, WorkspaceMsg};
use crate::workspace::once::{Once, Turn};
use capstan_runtime::actors::Admitted;
use capstan_types::id::SessionId;
use capstan_types::launch::Stdio;
use capstan_types::session::StartCall;
use ractor::{Actor, ActorId, ActorRef, RpcReplyPort};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// How long all sessions of a workspace may take to be ended.
const DISCARD_DEADLINE: Duration = Duration::from_secs(10);

/// The sessions of one workspace.
#[derive(Debug)]
pub(crate) struct Sessions {
    launcher: Arc<Launcher>,
    places: Places,
    facts: WorkspaceFacts,
    calls: Once<SessionDoor>,
    doors: HashMap<SessionId, (CallKey, SessionDoor)>,
    by_actor: HashMap<ActorId, SessionId>,
    /// Places and wiring of sessions that are being started.
    starting: HashMap<CallKey, (Place, Stdio)>,
}

impl Sessions {
    pub(crate) fn new(launcher: Arc<Launcher>, places: Places, facts: WorkspaceFacts) -> Self {
        Self {
            launcher,
            places,
            facts,
            calls: Once::new(),
            doors: HashMap::new(),
            by_actor: HashMap::new(),
            starting: HashMap::new(),
        }
    }

    /// Starts a session in one of `tasks`, unless this try of the call has one.
    pub(crate) fn start(&mut self, call: StartCall, span: Span, reply: Reply<SessionDoor>, tasks: &mut JoinSet<()>) {
        let key = CallKey { call: call.call, attempt: call.attempt };
        match self.calls.ask(key, reply) {
            Turn::Answered => return,
            Turn::Begin => {}
        }
        match self.places.take() {
            Err(full) => self.calls.finished(key, Err(full)),
            Ok(place) => {
                self.starting.insert(key, (place, call.stdio));
                let (launcher, facts) = (Arc::clone(&self.launcher), self.facts.clone());
                let launch = async move {
                    let outcome = Box::new(launcher.launch_admitted(Program::from(call)).await);
                    facts.tell(WorkspaceFact::Launched { key, outcome }).await;
                };
                tasks.spawn(launch.instrument(span));
            }
        }
    }

    /// Takes note of a launch. A session that runs gets its actor, below `workspace`.
    pub(crate) async fn launched(
        &mut self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        key: CallKey,
        outcome: Result<Launched, LaunchError>,
    ) {
        let Some((place, stdio)) = self.starting.remove(&key) else { return };
        match outcome {
            Err(LaunchError::Refused(refusal)) => self.calls.finished(key, Err(NodeError::Refused(refusal))),
            Err(LaunchError::Unknown(reason)) => self.calls.finished(key, Err(NodeError::Unknown(reason))),
            Ok(launched) => match self.adopt(workspace, launched, place, stdio).await {
                Ok(door) => {
                    self.doors.insert(door.session, (key, door.clone()));
                    self.by_actor.insert(door.actor.get_id(), door.session);
                    self.calls.stands(key, door);
                }
                Err(reason) => self.calls.finished(key, Err(NodeError::Unknown(reason))),
            },
        }
    }

    async fn adopt(
        &self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        launched: Launched,
        place: Place,
        stdio: Stdio,
    ) -> Result<SessionDoor, String> {
        let Launched { session, dir, holder, enforced, writes } = launched;
        let socket = dir.socket().into();
        let (known, facts) = (self.places.count_known(), self.facts.clone());
        let args = SessionArgs { session, dir, holder, stdio, place, known, workspace: facts, writes: writes.clone() };
        // Its `pre_start` only starts tasks, so waiting for it here takes no time.
        match Actor::spawn_linked(None, SessionActor, args, workspace.get_cell()).await {
            Ok((actor, _)) => Ok(SessionDoor { session, enforced: Arc::new(enforced), socket, actor, writes }),
            // The session lives on without an owner, and ends by that.
            Err(error) => Err(format!("the session's actor could not be started: {error}")),
        }
    }

    pub(crate) fn find(&self, session: SessionId) -> Result<SessionDoor, NodeError> {
        self.doors.get(&session).map(|(_, door)| door.clone()).ok_or(NodeError::NoSession(session))
    }

    /// Hands a message on. Releasing a session that is not there is no error: it was released before.
    pub(crate) fn hand_on(&self, session: SessionId, message: SessionMsg) {
        match (self.doors.get(&session), message) {
            (Some((_, door)), message) => {
                // The reply port is dropped with a message that finds nobody, which its sender sees.
                let _ = door.actor.cast(message);
            }
            (None, SessionMsg::Release { reply }) => drop(reply.send(Ok(()))),
            (None, message) => message.refuse(NodeError::NoSession(session)),
        }
    }

    /// Forgets a session that has been released; a repeated start of its call is told so.
    pub(crate) fn released(&mut self, session: SessionId) {
        if let Some((key, _)) = self.doors.remove(&session) {
            self.calls.finished(key, Err(NodeError::Over));
        }
    }

    /// Forgets a session whose actor has stopped. One that had not been released is lost: it ends when its ownerless time is over.
    pub(crate) fn actor_stopped(&mut self, actor: ActorId) {
        if let Some(session) = self.by_actor.remove(&actor)
            && let Some((key, _)) = self.doors.remove(&session)
        {
            self.calls.finished(key, Err(NodeError::Unknown("the node lost sight of the session".to_owned())));
        }
    }

    /// Ends a session that nobody has released, and forgets it.
    pub(crate) fn discard(&self, session: SessionId, by: String) {
        // Nobody waits for the answer.
        let (reply, _) = tokio::sync::oneshot::channel();
        self.hand_on(session, SessionMsg::Discard { by, reply: reply.into() });
    }

    /// Ends all sessions in one of `tasks`, and answers when they are gone.
    pub(crate) fn discard_all(&self, by: &str, reply: RpcReplyPort<()>, tasks: &mut JoinSet<()>) {
        let actors: Vec<_> = self.doors.values().map(|(_, door)| door.actor.clone()).collect();
        let by = by.to_owned();
        tasks.spawn(async move {
            let ended = actors.iter().map(|actor| {
                let by = by.clone();
                capstan_runtime::actors::ask(actor, DISCARD_DEADLINE, |reply| SessionMsg::Discard { by, reply })
            });
            futures::future::join_all(ended).await;
            let _ = reply.send(());
        });
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.calls.is_quiet() && self.doors.is_empty()
    }
}
