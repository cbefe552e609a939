//! Builds a coordinator and runs it.

use crate::checkpoints::shelf::Shelf;
use crate::client_api::health::CoordinatorHealth;
use crate::client_api::listeners::Listeners;
use crate::client_api::nodes::NodesService;
use crate::client_api::uploads::UploadsService;
use crate::config::CoordinatorConfig;
use crate::drain::{Drainer, Drains};
use crate::nodes::dial_in::{DialIn, WAITING};
use crate::nodes::events::Events;
use crate::nodes::pool::{NodePool, PoolArguments, PoolMsg};
use crate::nodes::remote::{RemoteError, register};
use crate::thread::making::Making;
use crate::thread::one_at_a_time::OneAtATime;
use crate::thread::open::Threads;
use crate::thread::supervisor::{SupervisorMsg, ThreadSupervisor};
use crate::uploads::Uploads;
use capstan_proto::transport::{Bound, Listen, ListenError, PipeConnector, SocketFile, pipe};
use capstan_registry::{Announcement, CoordinatorRecord, NodeEvent, Registration, Registry, RegistryError};
use capstan_runtime::monitor::Check;
use capstan_store::store::{Store, StoreError};
use prometheus_client::registry::Registry as Metrics;
use ractor::{Actor, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long each part of the coordinator gets to end.
const STOP_GRACE: Duration = Duration::from_secs(12);

/// How long checkpoints of the last turns may take to come to the store.
const CARRYING: Duration = Duration::from_secs(10);

/// How often it is looked whether turns have ended.
const LOOK: Duration = Duration::from_millis(50);

/// How long threads may take to let go.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Why a coordinator could not start. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A node that was named cannot be used.
    #[error(transparent)]
    Node(#[from] RemoteError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A place cannot be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TCP is open to every user of the host.
    #[error("listening at {0} needs a token, because every user of this host can connect to it; name a token file")]
    TokenRequired(Listen),
    /// Members know each other by certificates.
    #[error(
        "listening at {0} needs a certificate, by which members of a cluster know this coordinator; make a cluster with `capstan cluster init`, or join one with --join TOKEN ADDR"
    )]
    MembershipRequired(Listen),
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
    threads: Threads,
    grace: Duration,
    pipe: PipeConnector,
    places: Vec<Listen>,
    store: Arc<dyn Store>,
    registry: Arc<dyn Registry>,
    registrations: Vec<Registration>,
    announcement: Announcement,
    pool: ActorRef<PoolMsg>,
    supervisor: ActorRef<SupervisorMsg>,
    health: CoordinatorHealth,
    stop: CancellationToken,
    // The servers and the wait for the two actors; dropped with us.
    tasks: JoinSet<()>,
    // What is done after the start without being asked; dropped with us.
    background: JoinSet<()>,
    // Removed when nobody serves them any more.
    _names: Vec<SocketFile>,
}

/// Opens the store, meets the nodes, and serves the client API.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: CoordinatorConfig) -> Result<Running, ServeError> {
    let store = capstan_store::open::open(&config.store).await?;
    let (bound, names) = take_places(&config).await?;
    config.registry.reach().await?;
    let mut registrations = Vec::new();
    for node in &config.nodes {
        registrations.push(register(node, config.registry.as_ref(), config.membership.as_ref()).await?);
    }
    let (registry, membership) = (Arc::clone(&config.registry), config.membership);
    let (orders, events) = (Arc::clone(&registry.orders().await.borrow()), Events::default());
    let arguments = PoolArguments {
        registry,
        orders,
        events: events.clone(),
        pipes: config.pipes,
        nodes: config.nodes,
        token: config.node_token,
        membership: membership.clone(),
    };
    let (pool, pool_ended) = Actor::spawn(None, NodePool, arguments).await?;
    // The pool follows the registry from its start; this tells it what is there already before the first client asks.
    let _ = pool.cast(PoolMsg::Heard(NodeEvent::Resync(config.registry.nodes().await)));
    // Last of what may fail from outside: who finds it can use it a moment later.
    let announcement = config.registry.announce(description(&config.name, &bound)).await?;
    let (supervisor, supervisor_ended) = Actor::spawn(None, ThreadSupervisor, ()).await?;
    let shelf = config.blobs.map(|blobs| Shelf::new(blobs, config.checkpoints));
    let uploads = UploadsService::new(Uploads::on(shelf.clone()));
    let threads = Threads {
        name: config.name,
        line: config.line,
        at_end: config.at_end,
        closing: CancellationToken::new(),
        beginning: OneAtATime::default(),
        store: Arc::clone(&store),
        shelf: shelf.clone(),
        making: Making::with(config.git.clone()),
        models: config.models,
        pool: pool.clone(),
        supervisor: supervisor.clone(),
    };
    let (dialed, dials) = mpsc::channel(WAITING);
    let dial_in = DialIn {
        name: threads.name.as_str().into(),
        token: config.token.clone(),
        membership: membership.clone(),
        registry: Arc::clone(&config.registry),
        pool: pool.clone(),
    };
    let (pipe, listener) = pipe();
    let (stop, health) = (CancellationToken::new(), CoordinatorHealth::serving().await);
    let startup = threads.clone();
    let (drains, registry) = (Drains::default(), Arc::clone(&config.registry));
    let drainer = Drainer { threads: threads.clone(), registry: Arc::clone(&registry), drains: drains.clone() };
    let nodes = NodesService { threads: threads.clone(), registry, events, drains };
    let inherits = startup.line.is_some();
    let listeners = Listeners {
        threads: threads.clone(),
        nodes,
        uploads,
        token: config.token,
        membership,
        issuer: config.issuer,
        dialed,
        health: health.clone(),
        stop: stop.clone(),
    };
    let mut tasks = JoinSet::new();
    let until = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = dial_in.run(dials) => {}
            () = until.cancelled() => {}
        }
    });
    tasks.spawn(listeners.pipe(listener));
    let places = bound.iter().map(Bound::place).collect();
    for bound in bound {
        tasks.spawn(listeners.bound(bound));
    }
    let mut background = JoinSet::new();
    background.spawn(drainer.run());
    background.spawn(async move {
        if let Some(shelf) = shelf.filter(|_| inherits) {
            shelf.keep_swept().await;
        }
    });
    if inherits {
        // Not waited for: clients are served meanwhile, and a thread that one of them asks for is opened once.
        let turns = startup.clone();
        background.spawn(async move { turns.go_on().await });
        let nodes = Arc::clone(&config.registry);
        background.spawn(async move { startup.own_again(nodes).await });
    }
    tasks.spawn(async {
        tokio::select! {
            _ = pool_ended => {}
            _ = supervisor_ended => {}
        }
    });
    let registry = config.registry;
    Ok(Running {
        threads,
        grace: config.grace,
        pipe,
        places,
        store,
        registry,
        registrations,
        announcement,
        pool,
        supervisor,
        health,
        stop,
        tasks,
        background,
        _names: names,
    })
}

/// Lets turns end within the grace, and leaves the others to the next coordinator.
async fn leave(threads: &Threads, grace: Duration) {
    let until = tokio::time::Instant::now() + grace;
    let mut turns = threads.turns().await;
    while turns > 0 && tokio::time::Instant::now() < until {
        tokio::time::sleep(LOOK).await;
        turns = threads.turns().await;
    }
    if turns > 0 {
        tracing::warn!(turns, "turns are left to the next coordinator, with what they run");
    }
    threads.hand_over();
    // A thread that is only stopped would interrupt its turn.
    let gone = async {
        while threads.count().await > 0 {
            tokio::time::sleep(LOOK).await
        }
    };
    if tokio::time::timeout(LETTING_GO, gone).await.is_err() {
        tracing::warn!("not every thread let go in time");
    }
}

fn description(name: &str, bound: &[Bound]) -> CoordinatorRecord {
    CoordinatorRecord {
        id: name.to_owned(),
        addresses: bound.iter().map(|bound| bound.place().to_string()).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The names of sockets are kept with them from the beginning, so that none is left when a later step fails.
async fn take_places(config: &CoordinatorConfig) -> Result<(Vec<Bound>, Vec<SocketFile>), ServeError> {
    let over_tcp = config.listen.iter().find(|listen| matches!(listen, Listen::Tcp(_)));
    if let (Some(listen), None) = (over_tcp, &config.token) {
        return Err(ServeError::TokenRequired(listen.clone()));
    }
    let to_members = config.listen.iter().find(|listen| matches!(listen, Listen::Tls(_)));
    if let (Some(listen), None) = (to_members, &config.membership) {
        return Err(ServeError::MembershipRequired(listen.clone()));
    }
    let (mut taken, mut names) = (Vec::new(), Vec::new());
    for listen in &config.listen {
        let bound = listen.bind().await?;
        if let Bound::Unix(_, path) = &bound {
            names.push(SocketFile::at(path.clone()));
        }
        taken.push(bound);
    }
    Ok((taken, names))
}

impl Running {
    /// Connects clients in this process.
    #[must_use]
    pub fn pipe(&self) -> PipeConnector {
        self.pipe.clone()
    }

    /// Registers the metrics of this coordinator, and of all threads of the process.
    pub fn register_metrics(&self, metrics: &mut Metrics) {
        crate::thread::metrics::register(metrics);
        crate::nodes::metrics::register(metrics, Arc::clone(&self.registry));
    }

    /// What must hold for the coordinator to take work, asked whenever somebody wants to know.
    pub fn checks(&self) -> impl Fn() -> Vec<Check> + Send + Sync + use<> {
        let (registry, stop, closing) = (Arc::clone(&self.registry), self.stop.clone(), self.threads.closing.clone());
        move || {
            let stopping = (closing.is_cancelled() || stop.is_cancelled()).then(|| "the coordinator is stopping".to_owned());
            let stale = registry.standing().stale.map(|stale| stale.to_string());
            vec![Check::new("serving", stopping), Check::new("registry", stale)]
        }
    }

    /// Where clients reach it, with real ports, in the order of the configuration.
    #[must_use]
    pub fn places(&self) -> &[Listen] {
        &self.places
    }

    /// Waits until the coordinator cannot go on, because a part of it that nothing replaces has failed. Dropping the future loses nothing.
    pub async fn ended(&mut self) {
        self.tasks.join_next().await;
    }

    /// Stops, bounded in time. A coordinator that others inherit from lets its turns end within its grace, and leaves those that run then to
    /// them; another one interrupts what runs, and stores its end.
    pub async fn shutdown(mut self) {
        let grace = Some(STOP_GRACE);
        self.background.shutdown().await;
        self.health.stopping().await;
        // Nobody new is to find it.
        self.announcement.release().await;
        if self.threads.line.is_some() {
            self.threads.close();
            leave(&self.threads, self.grace).await;
        }
        // Threads first: their turns store their ends, which needs everything else.
        if let Err(error) = self.supervisor.stop_and_wait(Some("the coordinator stops".to_owned()), grace).await {
            tracing::warn!(%error, "the threads did not stop in time");
        }
        // Nodes are still asked for what is being carried.
        if let Some(shelf) = &self.threads.shelf
            && !shelf.settled(CARRYING).await
        {
            tracing::warn!("not every checkpoint was carried to the store; those stay on their nodes");
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
