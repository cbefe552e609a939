//! The sessions of one workspace: started once per try of a call, found by their id, forgotten when they are released.

use crate::error::NodeError;
use crate::journal::{Entry, Journal, Kept, Stage};
use crate::node::capacity::{Place, Places};
use crate::node::load::gate::Gate;
use crate::session::actor::{SessionActor, SessionArgs};
use crate::session::adopt::{self, Found};
use crate::session::holder::Holder;
use crate::session::launcher::{Launched, Launcher};
use crate::session::message::{SessionDoor, SessionMsg};
use crate::session::viewers::Viewers;
use crate::workspace::adopting::{Adopting, Asked};
use crate::workspace::jobs::Shared;
use crate::workspace::message::{CallKey, Reply, WorkspaceFact, WorkspaceFacts, WorkspaceMsg};
use crate::workspace::once::{Once, Turn};
use crate::workspace::starting;
use capstan_runtime::actors::Admitted;
use capstan_types::id::{SessionId, ThreadId};
use capstan_types::launch::{Enforced, Stdio};
use capstan_types::session::StartCall;
use ractor::{Actor, ActorId, ActorRef, RpcReplyPort};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// How long all sessions of a workspace may take to be ended.
const DISCARD_DEADLINE: Duration = Duration::from_secs(10);

/// The sessions of one workspace.
#[derive(Debug)]
pub(crate) struct Sessions {
    thread: ThreadId,
    launcher: Arc<Launcher>,
    places: Places,
    gate: Gate,
    journal: Journal,
    turns: Arc<Semaphore>,
    facts: WorkspaceFacts,
    /// Sessions of earlier lives of which it is not known yet what became of them.
    adopting: Adopting,
    /// Those that this node must leave alone, and why.
    strange: HashMap<SessionId, String>,
    calls: Once<SessionDoor>,
    doors: HashMap<SessionId, (CallKey, SessionDoor)>,
    by_actor: HashMap<ActorId, SessionId>,
    /// Places and wiring of sessions that are being started.
    starting: HashMap<CallKey, (Place, Stdio)>,
}

impl Sessions {
    pub(crate) fn new(thread: ThreadId, shared: &Shared, facts: WorkspaceFacts) -> Self {
        Self {
            thread,
            launcher: Arc::clone(&shared.launcher),
            places: shared.places.clone(),
            gate: shared.gate.clone(),
            journal: shared.journal.clone(),
            turns: Arc::clone(&shared.turns),
            facts,
            adopting: Adopting::default(),
            strange: HashMap::new(),
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
        if let Some(over) = self.journal.over(&(self.thread, key.call, key.attempt)) {
            return self.calls.finished(key, Err(over.into()));
        }
        match self.places.take() {
            Err(full) => self.calls.finished(key, Err(full)),
            Ok(place) => {
                self.starting.insert(key, (place, call.stdio));
                let (launcher, journal, facts) = (Arc::clone(&self.launcher), self.journal.clone(), self.facts.clone());
                let gate = self.gate.clone();
                let launch = async move {
                    let outcome = Box::new(starting::start(&gate, &launcher, &journal, call).await);
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
        outcome: Result<Launched, NodeError>,
    ) {
        let Some((place, stdio)) = self.starting.remove(&key) else { return };
        match outcome {
            Err(error) => self.calls.finished(key, Err(error)),
            Ok(launched) => self.stand(workspace, key, launched, place, stdio).await,
        }
    }

    /// A session gets its actor, and whoever asked for it is told.
    async fn stand(
        &mut self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        key: CallKey,
        launched: Launched,
        place: Place,
        stdio: Stdio,
    ) {
        match self.keep(workspace, launched, place, stdio).await {
            Ok(door) => {
                self.doors.insert(door.session, (key, door.clone()));
                self.by_actor.insert(door.actor.get_id(), door.session);
                self.calls.stands(key, door);
            }
            Err(reason) => self.calls.finished(key, Err(NodeError::Unknown(reason))),
        }
    }

    /// Takes over what the journal says of this thread, in the background. Until it is known what became of a session, whoever asks for it
    /// waits.
    pub(crate) fn take_over(&mut self, tasks: &mut JoinSet<()>) {
        for kept in self.journal.sessions_of(self.thread) {
            let session = kept.intent.session;
            let Ok(dir) = self.launcher.dir(session) else { continue };
            self.calls.begun_before(CallKey { call: kept.intent.call, attempt: kept.intent.attempt });
            let (turns, facts, asked) = (Arc::clone(&self.turns), self.facts.clone(), kept.stage == Stage::Asked);
            self.adopting.begin(kept);
            tasks.spawn(async move {
                let found = adopt::find(&dir, asked, &turns).await;
                facts.tell(WorkspaceFact::Found { session, found }).await;
            });
        }
    }

    /// Takes note of what became of a session of an earlier life, and hands on what was asked of it meanwhile.
    pub(crate) async fn found(
        &mut self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        session: SessionId,
        found: Found,
        tasks: &mut JoinSet<()>,
    ) {
        let Some((kept, waiting)) = self.adopting.end(session) else { return };
        let key = CallKey { call: kept.intent.call, attempt: kept.intent.attempt };
        tracing::info!(thread = %self.thread, %session, call = %key.call, ?found, "a session of an earlier life was looked at");
        let journal = self.journal.clone();
        match found {
            Found::Held(holder) => self.take_in(workspace, key, &kept, holder, tasks).await,
            Found::Left => self.take_in(workspace, key, &kept, Holder::Gone, tasks).await,
            Found::Nothing => {
                tasks.spawn(async move { journal.post(Entry::Nothing { session }).await });
                self.calls.finished(key, Err(NodeError::busy("the call")));
            }
            Found::Lost(reason) => {
                self.calls.finished(key, Err(NodeError::Unknown(reason.clone())));
                tasks.spawn(async move { journal.post(Entry::Lost { session, reason }).await });
            }
            Found::Strange(reason) => {
                tracing::warn!(%session, reason, "a session is held by a newer release, and left alone");
                self.calls.finished(key, Err(NodeError::Unknown(reason.clone())));
                self.strange.insert(session, reason);
            }
        }
        for asked in waiting {
            match asked {
                Asked::Find(reply) => self.find(session, reply),
                Asked::Tell(message) => self.hand_on(session, message),
            }
        }
    }

    async fn take_in(
        &mut self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        key: CallKey,
        kept: &Kept,
        holder: Holder,
        tasks: &mut JoinSet<()>,
    ) {
        let (session, journal) = (kept.intent.session, self.journal.clone());
        let Ok(dir) = self.launcher.dir(session) else { return };
        if kept.stage == Stage::Asked {
            tasks.spawn(async move { journal.post(Entry::Runs { session, enforced: None }).await });
        }
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(kept.intent.at_ms);
        let writes = self.launcher.protected.writes_since(&kept.intent.policy, since);
        let enforced = kept.enforced.as_deref().cloned().unwrap_or_else(unproved);
        let launched = Launched { session, dir, holder, control: None, enforced, writes };
        let place = self.places.take_for_running();
        self.stand(workspace, key, launched, place, kept.intent.stdio).await;
    }

    async fn keep(
        &self,
        workspace: &ActorRef<Admitted<WorkspaceMsg>>,
        launched: Launched,
        mut place: Place,
        stdio: Stdio,
    ) -> Result<SessionDoor, String> {
        place.runs();
        let Launched { session, dir, holder, control, enforced, writes } = launched;
        let socket = dir.socket().into();
        let (known, facts, journal) = (self.places.count_known(), self.facts.clone(), self.journal.clone());
        let args =
            SessionArgs { session, dir, holder, control, stdio, place, known, workspace: facts, writes: writes.clone(), journal };
        // Its `pre_start` only starts tasks, so waiting for it here takes no time.
        match Actor::spawn_linked(None, SessionActor, args, workspace.get_cell()).await {
            Ok((actor, _)) => {
                Ok(SessionDoor { session, enforced: Arc::new(enforced), socket, actor, writes, viewers: Viewers::new() })
            }
            // The session lives on without an owner, and ends by that.
            Err(error) => Err(format!("the session's actor could not be started: {error}")),
        }
    }

    /// Finds a session, once it is known whether it is there.
    pub(crate) fn find(&mut self, session: SessionId, reply: Reply<SessionDoor>) {
        if self.adopting.has(session) {
            return self.adopting.wait(session, Asked::Find(reply));
        }
        let found = self.doors.get(&session).map(|(_, door)| door.clone()).ok_or_else(|| self.absent(session));
        let _ = reply.send(found);
    }

    fn absent(&self, session: SessionId) -> NodeError {
        self.strange.get(&session).cloned().map_or(NodeError::NoSession(session), NodeError::HolderLost)
    }

    /// Hands a message on. Releasing a session that is not there is no error: it was released before.
    pub(crate) fn hand_on(&mut self, session: SessionId, message: SessionMsg) {
        if self.adopting.has(session) {
            return self.adopting.wait(session, Asked::Tell(message));
        }
        match (self.doors.get(&session), message) {
            (Some((_, door)), message) => {
                // The reply port is dropped with a message that finds nobody, which its sender sees.
                let _ = door.actor.cast(message);
            }
            (None, SessionMsg::Release { reply }) if !self.strange.contains_key(&session) => drop(reply.send(Ok(()))),
            (None, message) => message.refuse(self.absent(session)),
        }
    }

    /// Forgets a session that has been released, or is `lost`; a repeated start of its call is told so.
    pub(crate) fn released(&mut self, session: SessionId, lost: Option<String>) {
        if let Some((key, _)) = self.doors.remove(&session) {
            self.calls.finished(key, Err(lost.map_or(NodeError::Over, NodeError::Unknown)));
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
    pub(crate) fn discard(&mut self, session: SessionId, by: String) {
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
        self.calls.is_quiet() && self.doors.is_empty() && self.adopting.is_empty() && self.strange.is_empty()
    }
}

/// What is said of a session whose proof was lost with the life that heard it.
fn unproved() -> Enforced {
    Enforced {
        missing: vec!["the proof of what is in force was lost with an earlier life of the node".to_owned()],
        ..Enforced::default()
    }
}
