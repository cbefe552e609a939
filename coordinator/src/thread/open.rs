//! How a thread comes to be: its model and its node are found, its workspace opened, its row stored, its actor started.

use super::actor::ThreadArguments;
use super::context::TurnContext;
use super::items::ItemNumbers;
use super::log::{Draft, LogError, open_log};
use super::message::ThreadMsg;
use super::supervisor::SupervisorMsg;
use crate::clock;
use crate::models::{Models, NoModel};
use crate::nodes::host::NodeHost;
use crate::nodes::pool::PoolMsg;
use crate::placement::choose::{NoPlace, choose};
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_store::store::{Store, StoreError};
use capstan_tools::sessions::SessionTable;
use capstan_tools::toolbox::Toolbox;
use capstan_types::event::EventBody;
use capstan_types::history::Usage;
use capstan_types::id::{Epoch, EventSeq, ThreadId};
use capstan_types::session::Authority;
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;

/// The longest an actor of this process may take to answer.
pub(crate) const ASK_DEADLINE: Duration = Duration::from_secs(10);

/// Starts and finds threads. Clones share everything.
#[derive(Debug, Clone)]
pub struct Threads {
    /// The coordinator's name.
    pub(crate) name: String,
    /// Where threads are kept.
    pub(crate) store: Arc<dyn Store>,
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
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The coordinator is stopping.
    #[error("the coordinator cannot start a thread now: {0}")]
    Stopping(String),
}

impl From<AskError> for CreateError {
    fn from(error: AskError) -> Self {
        Self::Stopping(error.to_string())
    }
}

impl From<LogError> for CreateError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Store(error) => Self::Store(error),
            LogError::Stopped => Self::Stopping(error.to_string()),
        }
    }
}

impl Threads {
    /// Starts a thread, and gives its settings as they were resolved.
    ///
    /// # Errors
    /// See [`CreateError`]; nothing is left behind but perhaps a thread without events.
    pub async fn create(&self, settings: ThreadSettings) -> Result<(ThreadId, ThreadSettings), CreateError> {
        self.models.client(&settings.provider)?;
        let thread = ThreadId::generate();
        let epoch = Epoch(1);
        let host = self.host(thread, epoch, &settings).await?;
        let facts =
            host.open_workspace(&settings.cwd).await.map_err(|status| CreateError::Workspace(status.message().to_owned()))?;
        let settings = ThreadSettings { cwd: facts.root.clone(), node: Some(facts.node.clone()), ..settings };
        let now = clock::now();
        let record = ThreadRecord {
            id: thread,
            owner: self.name.clone(),
            epoch,
            settings: settings.clone(),
            created_at: now,
            updated_at: now,
            preview: String::new(),
        };
        self.store.create_thread(&record).await?;
        let (log, task) = open_log(thread, epoch, EventSeq(0), Arc::clone(&self.store));
        let context = TurnContext {
            thread,
            settings: settings.clone(),
            facts,
            models: Arc::clone(&self.models),
            store: Arc::clone(&self.store),
            log: log.clone(),
            host: Arc::new(host),
            toolbox: Toolbox::standard(settings.plan_tool),
            sessions: Arc::new(SessionTable::default()),
            numbers: Arc::new(ItemNumbers::default()),
        };
        let arguments = Box::new(ThreadArguments { context: Arc::new(context), log: task, usage: Usage::default() });
        let adopted = ask(&self.supervisor, ASK_DEADLINE, |reply| SupervisorMsg::Adopt(thread, arguments, reply)).await?;
        adopted.map_err(CreateError::Stopping)?;
        let started = EventBody::ThreadStarted { thread, settings: Box::new(settings.clone()) };
        log.record(vec![Draft::Event(None, started)]).await?;
        Ok((thread, settings))
    }

    /// The actor of a thread that runs here.
    ///
    /// # Errors
    /// The coordinator is stopping.
    pub async fn find(&self, thread: ThreadId) -> Result<Option<ActorRef<ThreadMsg>>, AskError> {
        ask(&self.supervisor, ASK_DEADLINE, |reply| SupervisorMsg::Find(thread, reply)).await
    }

    async fn host(&self, thread: ThreadId, epoch: Epoch, settings: &ThreadSettings) -> Result<NodeHost, CreateError> {
        let view = ask(&self.pool, ASK_DEADLINE, PoolMsg::View).await?;
        let node = choose(&view, settings.node.as_ref(), settings.level())?;
        let link = ask(&self.pool, ASK_DEADLINE, |reply| PoolMsg::Link(node.clone(), reply)).await?;
        let link = link.ok_or(NoPlace::NoNodes)?;
        Ok(NodeHost::new(link, Authority { thread, epoch, owner: self.name.clone() }))
    }
}
