//! One thread's workspace on this node: its sessions, its patches, its checkpoints.
//!
//! The supervisor hands it requests that have passed the fence, in order. Nothing slow happens in its handler.

use crate::node::message::{NodeFact, NodeFacts};
use crate::workspace::jobs::{Jobs, Shared};
use crate::workspace::message::{WorkspaceEnvelope, WorkspaceFact, WorkspaceFacts, WorkspaceMsg, WorkspaceRequest};
use crate::workspace::sessions::Sessions;
use capstan_runtime::actors::BoundedRef;
use capstan_types::id::ThreadId;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::task::JoinSet;

/// Facts that may wait in a workspace's mailbox. Full: whoever tells one waits.
const FACTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// How long the sessions' actors have to say goodbye.
const GRACE: Duration = Duration::from_secs(1);

/// Keeps one thread's workspace.
pub(crate) struct WorkspaceActor;

/// What a workspace's actor starts from.
#[derive(Debug)]
pub(crate) struct WorkspaceArgs {
    pub(crate) thread: ThreadId,
    pub(crate) shared: Shared,
    pub(crate) node: NodeFacts,
}

#[derive(Debug)]
pub(crate) struct WorkspaceState {
    thread: ThreadId,
    node: NodeFacts,
    sessions: Sessions,
    jobs: Jobs,
    /// Requests handled so far, by which the supervisor knows whether one is under way.
    handled: u64,
    /// Launches and facts; dropped with the actor, so that no half-started session outlives it.
    tasks: JoinSet<()>,
}

impl Actor for WorkspaceActor {
    type Msg = WorkspaceEnvelope;
    type State = WorkspaceState;
    type Arguments = WorkspaceArgs;

    async fn pre_start(
        &self,
        me: ActorRef<WorkspaceEnvelope>,
        args: WorkspaceArgs,
    ) -> Result<WorkspaceState, ActorProcessingErr> {
        let facts = WorkspaceFacts(BoundedRef::new(me, FACTS));
        let mut tasks = JoinSet::new();
        let mut sessions = Sessions::new(args.thread, &args.shared, facts.clone());
        sessions.take_over(&mut tasks);
        Ok(WorkspaceState {
            thread: args.thread,
            node: args.node,
            sessions,
            jobs: Jobs::new(args.shared, args.thread, facts),
            handled: 0,
            tasks,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<WorkspaceEnvelope>,
        envelope: WorkspaceEnvelope,
        state: &mut WorkspaceState,
    ) -> Result<(), ActorProcessingErr> {
        while state.tasks.try_join_next().is_some() {}
        match envelope.message {
            WorkspaceMsg::Request(request) => state.request(request),
            WorkspaceMsg::Fact(fact) => state.fact(&me, fact).await,
            WorkspaceMsg::Discard { session, by } => state.sessions.discard(session, by),
            WorkspaceMsg::DiscardAll { by, reply } => state.sessions.discard_all(&by, reply, &mut state.tasks),
            WorkspaceMsg::Sweep => state.sweep(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _me: ActorRef<WorkspaceEnvelope>,
        event: SupervisionEvent,
        state: &mut WorkspaceState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(session, ..) => state.sessions.actor_stopped(session.get_id()),
            SupervisionEvent::ActorFailed(session, error) => {
                tracing::error!(thread = %state.thread, %error, "a session's actor failed; its session runs out of its ownerless time");
                state.sessions.actor_stopped(session.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, me: ActorRef<WorkspaceEnvelope>, _state: &mut WorkspaceState) -> Result<(), ActorProcessingErr> {
        me.stop_children_and_wait(Some("the workspace is closed".to_owned()), Some(GRACE)).await;
        Ok(())
    }
}

impl WorkspaceState {
    fn request(&mut self, request: WorkspaceRequest) {
        self.handled += 1;
        match request {
            WorkspaceRequest::Start { call, span, reply } => self.sessions.start(*call, span, reply, &mut self.tasks),
            WorkspaceRequest::Find { session, reply } => self.sessions.find(session, reply),
            WorkspaceRequest::Session { session, message } => self.sessions.hand_on(session, message),
            WorkspaceRequest::Open { cwd, reply } => self.jobs.open(cwd, reply),
            WorkspaceRequest::ReadFiles { read, span, reply } => self.jobs.read_files(*read, span, reply),
            WorkspaceRequest::Files { question, span, reply } => self.jobs.files(*question, span, reply),
            WorkspaceRequest::ApplyPatch { call, span, reply } => self.jobs.apply_patch(*call, span, reply),
            WorkspaceRequest::Checkpoint { cwd, policy, turn, span, reply } => {
                self.jobs.checkpoint((cwd, *policy), turn, span, reply);
            }
            WorkspaceRequest::Diff { turn, policy, max_bytes, ended, span, reply } => {
                self.jobs.diff(turn, (*policy, max_bytes, ended), span, reply);
            }
            WorkspaceRequest::Patch { what, policy, span, reply } => self.jobs.patch(what, *policy, span, reply),
            WorkspaceRequest::Forget { span, reply } => self.jobs.forget(span, reply),
            WorkspaceRequest::Undo { turn, policy, force, span, reply } => self.jobs.undo(turn, (*policy, force), span, reply),
            WorkspaceRequest::Save { save, span, reply } => self.jobs.save(*save, span, reply),
            WorkspaceRequest::Restore { restore, span, reply } => self.jobs.restore(*restore, span, reply),
            WorkspaceRequest::Compare { compare, span, reply } => self.jobs.compare(*compare, span, reply),
            WorkspaceRequest::States { reply } => drop(reply.send(Ok(self.jobs.states()))),
            WorkspaceRequest::Make { make, span, reply } => self.jobs.make(*make, span, reply),
        }
    }

    async fn fact(&mut self, me: &ActorRef<WorkspaceEnvelope>, fact: WorkspaceFact) {
        let thread = self.thread;
        match fact {
            WorkspaceFact::Launched { key, outcome } => self.sessions.launched(me, key, *outcome).await,
            WorkspaceFact::Found { session, found } => self.sessions.found(me, session, found, &mut self.tasks).await,
            WorkspaceFact::Ended { session } => self.tell(NodeFact::SessionEnded { thread, session }),
            WorkspaceFact::Released { session, lost } => {
                self.sessions.released(session, lost);
                self.tell(NodeFact::SessionReleased { session });
            }
            WorkspaceFact::Patched { key, outcome } => self.jobs.patched(key, outcome),
        }
    }

    fn sweep(&mut self) {
        if self.sessions.is_quiet() && self.jobs.is_quiet() {
            self.tell(NodeFact::WorkspaceQuiet { thread: self.thread, handled: self.handled });
        }
    }

    /// Tells the supervisor, in a task: its mailbox may be full, and waiting for it here would stop the workspace.
    fn tell(&mut self, fact: NodeFact) {
        let node = self.node.clone();
        self.tasks.spawn(async move { node.tell(fact).await });
    }
}
