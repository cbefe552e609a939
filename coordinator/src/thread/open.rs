//! How a thread comes to be: its model and its node are found, its workspace opened, its row stored, its actor started.

use super::actor::ThreadArguments;
use super::context::{TurnContext, toolbox};
use super::hosts::ThreadHosts;
use super::items::ItemNumbers;
use super::located::Located;
use super::log::open_log;
use super::making::Making;
use super::message::ThreadMsg;
use super::one_at_a_time::OneAtATime;
use super::queue::TurnQueue;
use super::recall::Recalled;
use super::supervisor::SupervisorMsg;
use super::workspace;
use crate::checkpoints::shelf::Shelf;
use crate::clock;
use crate::models::{Models, NoModel};
use crate::nodes::pool::PoolMsg;
use crate::placement::no_place::NoPlace;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_store::store::{Record, Store, StoreError};
use capstan_tools::host::ExecHost;
use capstan_tools::sessions::{Again, SessionTable};
use capstan_types::event::{Event, EventBody};
use capstan_types::hosts::HostsAsked;
use capstan_types::id::{Epoch, EventSeq, NodeId, SessionId, ThreadId, TurnId};
use capstan_types::path::AbsPath;
use capstan_types::session::{Authority, WorkspaceFacts};
use capstan_types::thread::{OnInterrupt, ThreadRecord, ThreadSettings};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// The longest an actor of this process may take to answer.
pub(crate) const ASK_DEADLINE: Duration = Duration::from_secs(10);

/// How long the ends of sessions that ended while nobody ran the thread may take to be read.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// The waits before another place is looked for when a node cannot be reached that was chosen: it may be being started anew.
const NEXT_PLACE: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// Starts and finds threads. Clones share everything.
#[derive(Debug, Clone)]
pub struct Threads {
    /// The coordinator's name.
    pub(crate) name: String,
    /// The beginning of the names of those whose threads it inherits.
    pub(crate) line: Option<String>,
    /// What becomes of the running turns' sessions when the coordinator stops.
    pub(crate) at_end: OnInterrupt,
    /// Cancelled when nothing new is to begin here any more.
    pub(crate) closing: CancellationToken,
    /// Who begins a thread now.
    pub(crate) beginning: OneAtATime,
    /// Where threads are kept.
    pub(crate) store: Arc<dyn Store>,
    /// Where checkpoints are kept, if anywhere.
    pub(crate) shelf: Option<Shelf>,
    /// Which workspaces are being made.
    pub(crate) making: Making,
    /// Who answers.
    pub(crate) models: Arc<dyn Models>,
    /// The nodes.
    pub(crate) pool: ActorRef<PoolMsg>,
    /// The running threads.
    pub(crate) supervisor: ActorRef<SupervisorMsg>,
}

/// Why a thread was not started. For the caller.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Its model cannot be had.
    #[error(transparent)]
    Model(#[from] NoModel),
    /// There is no node for it.
    #[error(transparent)]
    Place(#[from] NoPlace),
    /// Its directory cannot be a workspace.
    #[error("{0}")]
    Workspace(String),
    /// Its node does not answer.
    #[error("{0}")]
    Away(String),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its id is that of another thread.
    #[error("thread {0} exists already, with other settings or on another coordinator; choose another id")]
    Taken(ThreadId),
    /// A turn of it runs.
    #[error("a turn of thread {0} runs; interrupt it, or wait until it has ended")]
    Busy(ThreadId),
    /// A turn that has no end, or that there is not.
    #[error("thread {0} has no turn {1} that has ended; `capstan threads show` names its turns")]
    NoEnd(ThreadId, TurnId),
    /// No turn has ended.
    #[error("no turn of thread {0} has ended, so there is nothing to fork")]
    NoTurn(ThreadId),
    /// A turn whose workspace was not saved.
    #[error(
        "the workspace of thread {0} was not saved at the end of turn {1} or before, so there is nothing to make another of; fork it without --workspace"
    )]
    NotSaved(ThreadId, TurnId),
    /// The coordinator is stopping.
    #[error("the coordinator cannot start a thread now: {0}")]
    Stopping(String),
}

impl From<AskError> for CreateError {
    fn from(error: AskError) -> Self {
        Self::Stopping(error.to_string())
    }
}

impl Threads {
    /// Starts a thread, and gives its settings as they were resolved. One that `chosen` names and that was started with these settings
    /// before is given again.
    ///
    /// # Errors
    /// See [`CreateError`]; nothing is left behind but perhaps a thread without events.
    pub async fn create(
        &self,
        chosen: Option<ThreadId>,
        settings: ThreadSettings,
    ) -> Result<(ThreadId, ThreadSettings), CreateError> {
        self.is_open()?;
        let settings = ThreadSettings { provider: self.models.provider(&settings.provider).to_owned(), ..settings };
        let thread = chosen.unwrap_or_else(ThreadId::generate);
        let _alone = self.beginning.enter(thread).await;
        let settings = match self.store.thread(thread).await? {
            Some(record) => self.attach(record, settings).await?,
            None => self.begin(thread, settings).await?,
        };
        Ok((thread, settings))
    }

    /// Whether something new may begin here.
    ///
    /// # Errors
    /// The coordinator is stopping.
    pub(crate) fn is_open(&self) -> Result<(), CreateError> {
        match self.closing.is_cancelled() {
            false => Ok(()),
            true => Err(CreateError::Stopping("it is stopping; another one goes on where it ends".to_owned())),
        }
    }

    async fn begin(&self, thread: ThreadId, settings: ThreadSettings) -> Result<ThreadSettings, CreateError> {
        self.models.client(&settings.provider)?;
        let now = clock::now();
        let record = ThreadRecord::begun(thread, self.name.clone(), settings, now);
        let (located, facts) = self.settle(&record).await?;
        let hosts = self.gather(&record.settings, &facts.node).await?;
        let (cwd, node, placed) = (facts.root.clone(), Some(facts.node.clone()), Some(Box::new(located.choice.clone())));
        let settings = ThreadSettings { cwd, node, placed, hosts, ..record.settings };
        let record = ThreadRecord { settings: settings.clone(), ..record };
        self.store.create_thread(&record).await?;
        Box::pin(self.run(record, located, facts, Recalled::default(), &[])).await?;
        Ok(settings)
    }

    /// A place for a new thread, and what its directory is there. A node that goes away just then is passed over, or comes back.
    pub(super) async fn settle(&self, record: &ThreadRecord) -> Result<(Located, WorkspaceFacts), CreateError> {
        let mut waits = NEXT_PLACE.iter();
        loop {
            let located = self.locate_new(record.id, record.epoch, &record.settings).await?;
            let cwd = dir_at_home(&record.settings, &located.choice.node);
            let there = ThreadRecord { settings: ThreadSettings { cwd, ..record.settings.clone() }, ..record.clone() };
            let found = match &record.settings.source {
                Some(source) => self.making.workspace(&located, &there, source, self.shelf.as_ref()).await,
                None => workspace_on(&located, &there).await,
            };
            let away = match found.map_err(|status| of_beginning(&status)) {
                Err(CreateError::Away(said)) => said,
                facts => return Ok((located, facts?)),
            };
            drop(located);
            let Some(wait) = waits.next() else { return Err(CreateError::Away(away)) };
            tokio::time::sleep(*wait).await;
        }
    }

    /// A thread that is there already: the request was repeated, and the answer to the first was lost.
    async fn attach(&self, record: ThreadRecord, wanted: ThreadSettings) -> Result<ThreadSettings, CreateError> {
        let (thread, settings) = (record.id, record.settings.clone());
        // The node resolves the directory, and placement chooses the node.
        let (cwd, node, placed) = (settings.cwd.clone(), settings.node.clone(), settings.placed.clone());
        let wanted = ThreadSettings { cwd, node, placed, hosts: settings.hosts.clone(), ..wanted };
        // What turns have overridden since is not what was asked for.
        let same = wanted == settings || self.begun_with(thread).await?.as_deref() == Some(&wanted);
        if !same || !self.inherits(&record.owner) {
            return Err(CreateError::Taken(thread));
        }
        if self.find(thread).await?.is_none() {
            Box::pin(self.reopen(record, Recalled::default())).await?;
        }
        Ok(settings)
    }

    async fn begun_with(&self, thread: ThreadId) -> Result<Option<Box<ThreadSettings>>, StoreError> {
        let first = self.store.events(thread, EventSeq(0), 1).await?;
        Ok(first.into_iter().find_map(|event| match event.body {
            EventBody::ThreadStarted { settings, .. } => Some(settings),
            _ => None,
        }))
    }

    /// Runs a thread that no actor of this process runs, after ending what nobody lived to end. `before` is what was read of it already.
    pub(super) async fn reopen(&self, record: ThreadRecord, before: Recalled) -> Result<(), CreateError> {
        let (record, recalled) = self.inherit(record, before).await?;
        // What turns have overridden since the thread began holds for later ones, whoever runs them.
        let settings = recalled.settings.clone().map_or(record.settings, |settings| *settings);
        let record = ThreadRecord { settings, ..record };
        let (located, facts) = match self.workspace(&record).await {
            Ok(found) => found,
            Err(CreateError::Workspace(reason)) => {
                let why = format!("the coordinator ended while this turn ran, and it cannot go on: {reason}");
                self.give_up(&record, &recalled, &why).await?;
                return Err(CreateError::Workspace(reason));
            }
            Err(error) => return Err(error),
        };
        let mut hosts = vec![located.host.clone()];
        hosts.extend(self.others_now(&record).await);
        let (recalled, over) = self.find_sessions(&record, &hosts, recalled).await?;
        Box::pin(self.run(record, located, facts, recalled, &over)).await
    }

    /// The node and the workspace of a thread that has one.
    pub(super) async fn workspace(&self, record: &ThreadRecord) -> Result<(Located, WorkspaceFacts), CreateError> {
        let located = self.locate_known(record.id, record.epoch, &record.settings).await?;
        let facts = workspace_on(&located, record).await.map_err(|status| of_opening(&status))?;
        Ok((located, facts))
    }

    pub(super) async fn run(
        &self,
        record: ThreadRecord,
        located: Located,
        facts: WorkspaceFacts,
        mut recalled: Recalled,
        over: &[SessionId],
    ) -> Result<(), CreateError> {
        let ThreadRecord { id: thread, epoch, settings, .. } = record;
        let last = match recalled.last {
            // Stored before anything can be asked of the thread: no client sees one that has not begun.
            EventSeq(0) => self.tell_of(thread, epoch, &settings).await?,
            last => last,
        };
        let (log, task) = open_log(thread, epoch, last, Arc::clone(&self.store));
        let Located { host, reserved, .. } = located;
        let host = Arc::new(host);
        let authority = Authority { thread, epoch, owner: self.name.clone() };
        let hosts = Arc::new(ThreadHosts::of(Arc::clone(&host), (&settings, &facts), self.pool.clone(), &authority));
        let policy = workspace::policy(&settings, &facts);
        let items = recalled.open_commands();
        let others = hosts.others_as_hosts();
        let again = Again { host: Arc::clone(&host) as Arc<dyn ExecHost>, others, policy, cwd: facts.root.clone(), items };
        let unfinished = self.unfinished(thread, &hosts, &mut recalled).await?;
        let sessions = Arc::new(SessionTable::again(recalled.sessions, &again));
        // Or the first turn would be told that they run.
        sessions.see_ends(over, SEEN_WITHIN).await;
        let context = TurnContext {
            thread,
            facts,
            models: Arc::clone(&self.models),
            store: Arc::clone(&self.store),
            log,
            host,
            hosts,
            toolbox: toolbox(&settings),
            sessions,
            numbers: Arc::new(ItemNumbers::from(recalled.next_item)),
            docs: Arc::default(),
            shelf: self.shelf.clone(),
            last_saved: Arc::default(),
            settings,
        };
        let (tally, turns, at_end) = (recalled.tally, recalled.turns, self.at_end);
        let queue = TurnQueue::of(recalled.queued.into_iter().map(|(turn, input)| (turn, Box::new(input))));
        let context = Arc::new(context);
        let arguments = Box::new(ThreadArguments { context, log: task, tally, turns, at_end, unfinished, queue });
        let adopted = ask(&self.supervisor, ASK_DEADLINE, |reply| SupervisorMsg::Adopt(arguments, reserved, reply)).await?;
        adopted.map_err(CreateError::Stopping)
    }

    async fn tell_of(&self, thread: ThreadId, epoch: Epoch, settings: &ThreadSettings) -> Result<EventSeq, CreateError> {
        let body = EventBody::ThreadStarted { thread, settings: Box::new(settings.clone()) };
        let started = Event { seq: EventSeq(1), at: clock::now(), turn: None, body };
        self.store.append(thread, epoch, vec![Record::Event(started)]).await?;
        Ok(EventSeq(1))
    }

    /// The actor of a thread that runs here.
    ///
    /// # Errors
    /// The coordinator is stopping.
    pub async fn find(&self, thread: ThreadId) -> Result<Option<ActorRef<ThreadMsg>>, AskError> {
        ask(&self.supervisor, ASK_DEADLINE, |reply| SupervisorMsg::Find(thread, reply)).await
    }
}

/// Where a thread works on the node that was chosen. A directory that is named with the node says more than the one that the client is in.
fn dir_at_home(settings: &ThreadSettings, home: &NodeId) -> AbsPath {
    let named = match &settings.placement.hosts {
        Some(HostsAsked::Named(hosts)) => hosts.iter().find(|host| host.node == *home).and_then(|host| host.dir.clone()),
        Some(HostsAsked::Selected(_)) | None => None,
    };
    named.unwrap_or_else(|| settings.cwd.clone())
}

async fn workspace_on(located: &Located, record: &ThreadRecord) -> Result<WorkspaceFacts, Status> {
    located.host.open_workspace(&record.settings.cwd).await
}

/// Why a thread does not begin.
fn of_beginning(status: &Status) -> CreateError {
    let said = status.message().to_owned();
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => CreateError::Away(said),
        _ => CreateError::Workspace(said),
    }
}

/// Why one that has a workspace is not opened. A turn in it is ended as failed for a workspace that is gone, so only what the node says of the directory
/// itself counts as that. A clock that is wrong, a node that is full or has not said yet which life of it this is: all that passes.
fn of_opening(status: &Status) -> CreateError {
    let said = status.message().to_owned();
    match status.code() {
        Code::NotFound | Code::InvalidArgument => CreateError::Workspace(said),
        _ => CreateError::Away(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_that_is_gone_ends_a_turn_for_good() {
        let ends = |code| matches!(of_opening(&Status::new(code, "")), CreateError::Workspace(_));
        let ending: Vec<Code> = (0..17).map(Code::from_i32).filter(|code| ends(*code)).collect();
        assert_eq!(ending, [Code::InvalidArgument, Code::NotFound]);
    }
}
