//! Builds a coordinator and runs it.

use crate::client_api::threads::ThreadsService;
use crate::client_api::turns::TurnsService;
use crate::config::CoordinatorConfig;
use crate::nodes::pool::{NodePool, PoolArguments, PoolMsg};
use crate::nodes::remote::{RemoteError, register};
use crate::thread::open::Threads;
use crate::thread::supervisor::{SupervisorMsg, ThreadSupervisor};
use capstan_proto::transport::{PipeConnector, PipeListener, pipe};
use capstan_proto::wire::client::threads_server::ThreadsServer;
use capstan_proto::wire::client::turns_server::TurnsServer;
use capstan_registry::{NodeEvent, Registration};
use capstan_store::store::{Store, StoreError};
use ractor::{Actor, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

/// The largest request that is taken from a client: a prompt with pictures.
const LARGEST_REQUEST: usize = 128 << 20;

/// How long each part of the coordinator gets to end.
const STOP_GRACE: Duration = Duration::from_secs(12);

/// Why a coordinator could not start. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node that was named cannot be used.
    #[error(transparent)]
    Node(#[from] RemoteError),
    /// An actor did not start.
    #[error("the coordinator could not start: {0}")]
    Actor(String),
}

impl From<ractor::SpawnErr> for ServeError {
    fn from(error: ractor::SpawnErr) -> Self {
        Self::Actor(error.to_string())
    }
}

/// A running coordinator. Dropping it stops it at once; [`Running::shutdown`] lets turns end first.
#[derive(Debug)]
pub struct Running {
    pipe: PipeConnector,
    store: Arc<dyn Store>,
    registrations: Vec<Registration>,
    pool: ActorRef<PoolMsg>,
    supervisor: ActorRef<SupervisorMsg>,
    stop: CancellationToken,
    // The server and the waits for the two actors; dropped with us.
    tasks: JoinSet<()>,
}

/// Opens the store, meets the nodes, and serves the client API.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: CoordinatorConfig) -> Result<Running, ServeError> {
    let store = capstan_store::open::open(&config.store).await?;
    let mut registrations = Vec::new();
    for node in &config.nodes {
        registrations.push(register(node, config.registry.as_ref()).await?);
    }
    let arguments = PoolArguments { registry: Arc::clone(&config.registry), pipes: config.pipes, nodes: config.nodes };
    let (pool, pool_ended) = Actor::spawn(None, NodePool, arguments).await?;
    // The pool follows the registry from its start; this tells it what is there already before the first client asks.
    let _ = pool.cast(PoolMsg::Heard(NodeEvent::Resync(config.registry.nodes().await)));
    let (supervisor, supervisor_ended) = Actor::spawn(None, ThreadSupervisor, ()).await?;
    let threads = Threads {
        name: config.name,
        store: Arc::clone(&store),
        models: config.models,
        pool: pool.clone(),
        supervisor: supervisor.clone(),
    };
    let (pipe, listener) = pipe();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_clients(threads, listener, stop.clone()));
    tasks.spawn(async { drop((pool_ended.await, supervisor_ended.await)) });
    Ok(Running { pipe, store, registrations, pool, supervisor, stop, tasks })
}

async fn serve_clients(threads: Threads, listener: PipeListener, stop: CancellationToken) {
    let threads_service = ThreadsServer::new(ThreadsService(threads.clone()));
    let turns_service = TurnsServer::new(TurnsService(threads)).max_decoding_message_size(LARGEST_REQUEST);
    let server = Server::builder().add_service(threads_service).add_service(turns_service);
    if let Err(error) = server.serve_with_incoming_shutdown(listener, stop.cancelled_owned()).await {
        tracing::error!(%error, "the client API ended");
    }
}

impl Running {
    /// Connects clients in this process.
    #[must_use]
    pub fn pipe(&self) -> PipeConnector {
        self.pipe.clone()
    }

    /// Interrupts what runs, stores its end, and stops. Bounded in time.
    pub async fn shutdown(mut self) {
        let grace = Some(STOP_GRACE);
        // Threads first: their turns store their ends, which needs everything else.
        if let Err(error) = self.supervisor.stop_and_wait(Some("the coordinator stops".to_owned()), grace).await {
            tracing::warn!(%error, "the threads did not stop in time");
        }
        self.stop.cancel();
        let _ = self.pool.stop_and_wait(Some("the coordinator stops".to_owned()), grace).await;
        for registration in self.registrations.drain(..) {
            registration.release().await;
        }
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Clients that keep their streams open would keep the server; they are dropped with us.
        let _ = tokio::time::timeout(Duration::from_millis(500), ended).await;
        let _ = tokio::time::timeout(STOP_GRACE, self.store.close()).await;
    }
}
