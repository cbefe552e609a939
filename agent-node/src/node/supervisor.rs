//! The node's supervisor: lets requests of a thread's newest owner through to its workspace, and sees to what was left behind.
//!
//! It is the only way to a workspace, and hands requests on in the order in which they passed the fence, so that nothing an old owner
//! asked for is done after something a new owner asked for.

use crate::error::NodeError;
use crate::journal::{Entry, Journal, JournalError};
use crate::node::fence::{Fence, Pass};
use crate::node::lanes::Lanes;
use crate::node::message::{NodeEnvelope, NodeFact, NodeFacts, NodeMsg};
use crate::node::retention::Retention;
use crate::node::sweep;
use crate::node::waiting::Waiting;
use crate::workspace::actor::{WorkspaceActor, WorkspaceArgs};
use crate::workspace::checkpoint;
use crate::workspace::disk::Disk;
use crate::workspace::jobs::Shared;
use crate::workspace::made::MadeWorkspaces;
use crate::workspace::message::{WorkspaceEnvelope, WorkspaceMsg, WorkspaceRequest};
use crate::workspace::saved::SavedStates;
use capstan_runtime::actors::BoundedRef;
use capstan_types::id::{Epoch, SessionId, ThreadId};
use capstan_types::session::Authority;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Facts that may wait in the supervisor's mailbox. Full: whoever tells one waits.
const FACTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// How many workspaces there may be. Full: requests of further threads are refused as busy.
const WORKSPACES: usize = 16_384;

/// How often the supervisor looks at what time has made due.
const SWEEP: Duration = Duration::from_secs(60);

/// How often states of workspaces are looked at whose time may be over.
const STATES_SWEEP: Duration = Duration::from_secs(3600);

/// How many sweeps in a row a workspace must be quiet before it is closed: six hours. It remembers which calls were done.
const QUIET_SWEEPS: u32 = 360;

/// How long workspaces have to say goodbye.
const GRACE: Duration = Duration::from_secs(3);

/// Lets requests through to workspaces.
pub(crate) struct NodeSupervisor;

/// What the supervisor starts from.
#[derive(Debug)]
pub(crate) struct NodeArgs {
    pub(crate) shared: Shared,
    /// Where the sessions' directories lie.
    pub(crate) sessions: PathBuf,
    /// How many sessions may run at once.
    pub(crate) at_once: u32,
}

#[derive(Debug)]
pub(crate) struct NodeState {
    shared: Shared,
    facts: NodeFacts,
    fence: Fence,
    /// Requests whose epoch is not in the journal yet.
    waiting: Waiting,
    retention: Retention,
    workspaces: HashMap<ThreadId, Workspace>,
    leftovers: Arc<Mutex<Vec<PathBuf>>>,
    /// Dropped with the actor.
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Workspace {
    actor: ActorRef<WorkspaceEnvelope>,
    lanes: Lanes,
    /// Requests handed on so far.
    handed_on: u64,
    quiet_sweeps: u32,
}

impl Workspace {
    fn take(&mut self, request: WorkspaceRequest) {
        self.handed_on += u64::from(self.lanes.take(request));
    }
}

impl Actor for NodeSupervisor {
    type Msg = NodeEnvelope;
    type State = NodeState;
    type Arguments = NodeArgs;

    async fn pre_start(&self, me: ActorRef<NodeEnvelope>, args: NodeArgs) -> Result<NodeState, ActorProcessingErr> {
        let supervisor = me.clone();
        let facts = NodeFacts(BoundedRef::new(me, FACTS));
        let journal = args.shared.journal.clone();
        let kept = journal.sessions(None, usize::MAX);
        let known: HashSet<_> = kept.iter().map(|kept| args.sessions.join(kept.intent.session.to_string())).collect();
        let mut leftovers = sweep::leftovers(&args.sessions).await;
        leftovers.retain(|dir| !known.contains(dir));
        let leftovers = Arc::new(Mutex::new(leftovers));
        let mut tasks = JoinSet::new();
        let (first_sweep, scratch) = (sweep_later(&facts), args.shared.scratch.clone());
        tasks.spawn(first_sweep);
        let resist = sweep::clear_scratch(&scratch).await;
        let writers = Arc::clone(&leftovers);
        tasks.spawn(async move {
            look_at(writers).await;
            sweep::remove(resist).await;
        });
        let disk = Disk::new(args.shared.made.clone(), args.shared.journal.clone());
        let (saved, made) = (args.shared.saved.clone(), args.shared.made.clone());
        tasks.spawn(sweep_states(args.shared.checkpoints.clone(), saved, made, disk));
        let mut state = NodeState {
            shared: args.shared,
            facts,
            fence: Fence::knowing(journal.epochs()),
            waiting: Waiting::default(),
            retention: Retention::of(args.at_once),
            workspaces: HashMap::new(),
            leftovers,
            tasks,
        };
        let threads: HashSet<_> = kept.iter().map(|kept| kept.intent.thread).collect();
        for thread in threads {
            // Each takes over what the journal says of its thread, in the background.
            state.workspace(&supervisor, thread).await.map_err(|error| error.to_string())?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<NodeEnvelope>,
        envelope: NodeEnvelope,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        while state.tasks.try_join_next().is_some() {}
        match envelope.message {
            NodeMsg::Act { authority, request } => state.act(&me, authority, request).await,
            NodeMsg::Operate { thread, request } => state.operate(thread, request),
            NodeMsg::DiscardAll { by, reply } => state.discard_all(&by, reply),
            NodeMsg::Fact(fact) => state.fact(&me, fact).await,
            NodeMsg::Sweep => state.sweep(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _me: ActorRef<NodeEnvelope>,
        event: SupervisionEvent,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(workspace, ..) => state.forget(workspace.get_id()),
            SupervisionEvent::ActorFailed(workspace, error) => {
                // Not started again with its old sessions: what it knew is gone, and callers must be told so.
                tracing::error!(%error, "a workspace's actor failed; its sessions run out of their ownerless time");
                state.forget(workspace.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, me: ActorRef<NodeEnvelope>, _state: &mut NodeState) -> Result<(), ActorProcessingErr> {
        me.stop_children_and_wait(Some("the node is stopping".to_owned()), Some(GRACE)).await;
        Ok(())
    }
}

impl NodeState {
    async fn act(&mut self, me: &ActorRef<NodeEnvelope>, authority: Authority, request: WorkspaceRequest) {
        let thread = authority.thread;
        match self.fence.pass(thread, authority.epoch) {
            Err(stale) => {
                tracing::warn!(%thread, owner = authority.owner, error = %stale, "a request was refused");
                request.refuse(stale);
            }
            // In the order in which they came, hence behind those that wait.
            Ok(Pass::Now) if !self.waiting.has(thread) => self.hand_on(me, thread, request).await,
            Ok(pass) => {
                let first = self.waiting.push(thread, authority.epoch, request);
                if pass == Pass::Raised && first {
                    self.tasks.spawn(keep_epoch(self.shared.journal.clone(), self.facts.clone(), thread, authority.epoch));
                }
            }
        }
    }

    /// An epoch is in the journal: who waited for it may pass. Or it is not, and who waited is told why.
    async fn epoch_kept(
        &mut self,
        me: &ActorRef<NodeEnvelope>,
        thread: ThreadId,
        epoch: Epoch,
        result: Result<(), JournalError>,
    ) {
        if result.is_ok() {
            self.fence.kept(thread, epoch);
        }
        for request in self.waiting.take(thread, epoch) {
            match &result {
                Ok(()) => self.hand_on(me, thread, request).await,
                Err(error) => request.refuse(error.clone().into()),
            }
        }
    }

    async fn hand_on(&mut self, me: &ActorRef<NodeEnvelope>, thread: ThreadId, request: WorkspaceRequest) {
        let workspace = match self.workspace(me, thread).await {
            Ok(workspace) => workspace,
            Err(error) => return request.refuse(error),
        };
        workspace.quiet_sweeps = 0;
        workspace.take(request);
    }

    /// Hands an operator's request to the workspace that is there. Whoever owns the thread is not asked, and none is made owner by it.
    fn operate(&mut self, thread: ThreadId, request: WorkspaceRequest) {
        match self.workspaces.get_mut(&thread) {
            Some(workspace) => workspace.take(request),
            None => request.refuse(NodeError::NoThread(thread)),
        }
    }

    async fn workspace(&mut self, me: &ActorRef<NodeEnvelope>, thread: ThreadId) -> Result<&mut Workspace, NodeError> {
        let room = self.workspaces.len() < WORKSPACES;
        match self.workspaces.entry(thread) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::hash_map::Entry::Vacant(_) if !room => Err(NodeError::busy("the list of workspaces")),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let args = WorkspaceArgs { thread, shared: self.shared.clone(), node: self.facts.clone() };
                // Its `pre_start` makes an empty state, so waiting for it here takes no time.
                let spawned = Actor::spawn_linked(None, WorkspaceActor, args, me.get_cell()).await;
                let (actor, _) = spawned.map_err(|error: SpawnErr| NodeError::Unknown(error.to_string()))?;
                let lanes = Lanes::to(actor.clone());
                Ok(entry.insert(Workspace { actor, lanes, handed_on: 0, quiet_sweeps: 0 }))
            }
        }
    }

    async fn fact(&mut self, me: &ActorRef<NodeEnvelope>, fact: NodeFact) {
        match fact {
            NodeFact::SessionEnded { thread, session } => {
                if let Some((thread, oldest)) = self.retention.ended(Instant::now(), thread, session) {
                    self.discard(thread, oldest);
                }
            }
            NodeFact::SessionReleased { session } => self.retention.released(session),
            NodeFact::EpochKept { thread, epoch, result } => self.epoch_kept(me, thread, epoch, result).await,
            NodeFact::WorkspaceQuiet { thread, handled } => self.quiet(thread, handled),
        }
    }

    /// Closes a workspace that has been quiet for long, unless a request is on its way to it.
    fn quiet(&mut self, thread: ThreadId, handled: u64) {
        let Some(workspace) = self.workspaces.get_mut(&thread) else { return };
        if workspace.handed_on != handled {
            return;
        }
        workspace.quiet_sweeps += 1;
        if workspace.quiet_sweeps >= QUIET_SWEEPS
            && let Some(workspace) = self.workspaces.remove(&thread)
        {
            workspace.actor.stop(Some("it was quiet for long".to_owned()));
        }
    }

    fn sweep(&mut self) {
        for (thread, session) in self.retention.due(Instant::now()) {
            self.discard(thread, session);
        }
        for workspace in self.workspaces.values() {
            // One that is too busy to hear of it is not quiet.
            let _ = workspace.lanes.requests().try_cast(WorkspaceMsg::Sweep);
        }
        self.tasks.spawn(look_at(Arc::clone(&self.leftovers)));
        self.tasks.spawn(sweep_later(&self.facts));
    }

    /// Forgets a session whose coordinator has not released it.
    fn discard(&mut self, thread: ThreadId, session: SessionId) {
        let Some(workspace) = self.workspaces.get(&thread).map(|workspace| workspace.lanes.requests().clone()) else { return };
        self.tasks.spawn(async move {
            let by = "the node: it was not released in time".to_owned();
            let _ = workspace.cast(WorkspaceMsg::Discard { session, by }).await;
        });
    }

    fn discard_all(&mut self, by: &str, reply: RpcReplyPort<()>) {
        let workspaces: Vec<_> = self.workspaces.values().map(|workspace| workspace.lanes.requests().clone()).collect();
        let by = by.to_owned();
        self.tasks.spawn(async move {
            let discarded = workspaces.iter().map(async |workspace| {
                let (done, told) = tokio::sync::oneshot::channel();
                if workspace.cast(WorkspaceMsg::DiscardAll { by: by.clone(), reply: done.into() }).await.is_ok() {
                    let _ = told.await;
                }
            });
            futures::future::join_all(discarded).await;
            let _ = reply.send(());
        });
    }

    fn forget(&mut self, actor: ActorId) {
        self.workspaces.retain(|_, workspace| workspace.actor.get_id() != actor);
    }
}

/// Brings an epoch into the journal.
async fn keep_epoch(journal: Journal, facts: NodeFacts, thread: ThreadId, epoch: Epoch) {
    let result = journal.keep(Entry::Epoch { thread, epoch }).await;
    facts.tell(NodeFact::EpochKept { thread, epoch, result }).await;
}

/// Sends the next sweep when its time has come.
fn sweep_later(facts: &NodeFacts) -> impl Future<Output = ()> + Send + use<> {
    let facts = facts.clone();
    async move {
        tokio::time::sleep(SWEEP).await;
        let _ = facts.0.cast(NodeMsg::Sweep).await;
    }
}

/// Forgets states of workspaces whose time is over, and what lies among made workspaces and is none, now and every hour.
async fn sweep_states(dir: PathBuf, saved: SavedStates, made: MadeWorkspaces, disk: Disk) {
    let mut hours = tokio::time::interval(STATES_SWEEP);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        hours.tick().await;
        let (dir, saved, made, disk) = (dir.clone(), saved.clone(), made.clone(), disk.clone());
        let sweep = move || {
            checkpoint::sweep(&dir);
            saved.sweep();
            made.sweep();
            disk.sweep_strays(false);
        };
        let _ = tokio::task::spawn_blocking(sweep).await;
    }
}

/// Looks at the leftovers again. Two of these at once would be one too many, hence the lock.
async fn look_at(leftovers: Arc<Mutex<Vec<PathBuf>>>) {
    let mut leftovers = leftovers.lock().await;
    *leftovers = sweep::end_unproven(std::mem::take(&mut leftovers)).await;
}
