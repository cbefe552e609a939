//! Puts a node together, and takes it apart again.
//!
//! Invariant: the node is registered only when it can be asked, and is taken out of the registry before it stops answering. Stopping it
//! ends no session: their holders live on, and end by their ownerless time if nobody comes back.

mod dial_out;
mod level;
mod server;

use crate::ballast::Ballast;
use crate::config::{ConfigError, NodeConfig};
use crate::descriptors;
use crate::journal::Journal;
use crate::node::capacity::Places;
use crate::node::handle::NodeHandle;
use crate::node::load::Watermarks;
use crate::node::load::gate::Gate;
use crate::node::load::metrics::LoadCollector;
use crate::node::load::space;
use crate::node::message::NodeMsg;
use crate::node::supervisor::{NodeArgs, NodeSupervisor};
use crate::node::sweep;
use crate::probe::{ProbeError, probe};
use crate::session::launcher::Launcher;
use crate::state::{State, StateError};
use crate::workspace::checkout::{Checkouts, Strategy};
use crate::workspace::disk::Disk;
use crate::workspace::file_access::FileAccess;
use crate::workspace::files::Files;
use crate::workspace::git::Git;
use crate::workspace::jobs::Shared;
use crate::workspace::made::MadeWorkspaces;
use crate::workspace::mirror::Mirrors;
use crate::workspace::saved::SavedStates;
use capstan_proto::transport::dial::DialOut;
use capstan_proto::transport::{Bound, Listen, ListenError, PipeConnector};
use capstan_registry::{Registration, Registry, RegistryError};
use capstan_runtime::actors::{AskError, BoundedRef, Root};
use capstan_runtime::monitor::Check;
use capstan_types::node::{Fingerprint, NodeAddress, NodeRecord};
use capstan_types::policy::Ceiling;
use capstan_types::stock::Stock;
use prometheus_client::registry::Registry as Metrics;
use ractor::{Actor, SpawnErr};
use server::{Dialing, Servers};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Requests that may wait for the supervisor. Full: the next one is refused as busy.
const REQUESTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// Requests to sessions that may wait for it, beside those. Full: the next one is refused as busy.
const TO_SESSIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8191);

/// How many sessions of earlier lives are looked at at once.
const LOOKS: usize = 32;

/// How long the actors have to say goodbye.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether sessions have ended.
const LOOK: Duration = Duration::from_millis(50);

/// How long all sessions may take to be ended.
const STOP_SESSIONS_DEADLINE: Duration = Duration::from_secs(15);

/// Why a node could not be started. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The runner does not answer.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// An address cannot be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The registry does not take the node.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An actor could not be started.
    #[error("the node's actors could not be started: {0}")]
    Actors(#[from] SpawnErr),
}

/// A node that serves. Dropping it stops it without goodbyes; [`Running::shutdown`] says them.
#[derive(Debug)]
pub struct Running {
    node: NodeHandle,
    addresses: Vec<NodeAddress>,
    pipe: PipeConnector,
    servers: Servers,
    registration: Option<Registration>,
    root: Option<Root>,
    launcher: Arc<Launcher>,
    made: MadeWorkspaces,
    /// Dropped with the node.
    _measuring: JoinSet<()>,
    /// Held until the last actor is gone, so that no other node takes the directory before.
    state: State,
}

/// Starts a node, and registers it.
///
/// # Errors
/// [`ServeError`]; nothing is left running then.
pub async fn serve(config: NodeConfig, registry: Arc<dyn Registry>) -> Result<Running, ServeError> {
    config.check()?;
    descriptors::raise_for(config.capacity.sessions);
    let state = State::claim(&config.state_dir, &config.checkpoints)?;
    let journal = Journal::open(state.root.as_path(), state.generation, state.has_past(), config.journal)
        .map_err(|source| state.failed(source))?;
    let gate = Gate::new(config.watermarks, Ballast::in_dir(state.root.as_path()));
    let launcher = Arc::new(Launcher::new(&config, &state));
    let trial = async {
        // The first session finds the runner's server up.
        launcher.runner.warm().await;
        level::find(&launcher, &state.scratch()).await
    };
    let (fingerprint, (level, missing)) = tokio::join!(probe(&config.runner), trial);
    launcher.found_level(level);
    let fingerprint = Fingerprint { level, missing, ..fingerprint? };
    let mut bound = Vec::with_capacity(config.listen.len());
    for listen in &config.listen {
        bound.push(listen.bind().await?);
    }
    let addresses: Vec<_> = bound.iter().map(address).collect();
    let record = NodeRecord {
        id: config.id.clone(),
        generation: state.generation,
        address: config.advertise.clone().or_else(|| addresses.first().cloned()).unwrap_or(NodeAddress::Embedded),
        labels: config.labels.clone(),
        capacity: config.capacity,
        stock: Stock { disk_bytes: space(state.root.as_path()).map_or(0, |room| room.free), ..config.stock.clone() },
        fingerprint,
        journal: journal.state(),
        protocol: capstan_proto::protocol::CURRENT,
    };
    let saved = SavedStates::new(state.saved.clone(), config.blobs.clone(), Arc::clone(&launcher));
    let made = made(&config, &state, &launcher, &saved).await;
    let root = Root::start(GRACE).await?;
    let parts = Parts { launcher: Arc::clone(&launcher), journal, gate: gate.clone(), saved, made: made.clone() };
    let node = start_actors(&config, &state, &root, record.clone(), parts).await?;
    let mut measuring = JoinSet::new();
    measuring.spawn(gate.keep_measuring());
    let dialing = Dialing { places: places(&config), token: config.dial_out_token };
    let (servers, pipe) = Servers::start(&node, bound, config.token, dialing).await;
    let registration = registry.register(record).await?;
    tracing::info!(node = %config.id, generation = %state.generation, addresses = ?addresses, "the node serves");
    Ok(Running {
        node,
        addresses,
        pipe,
        servers,
        registration: Some(registration),
        root: Some(root),
        launcher,
        made,
        _measuring: measuring,
        state,
    })
}

/// The workspaces that the node makes, by what this host can do for them.
async fn made(config: &NodeConfig, state: &State, launcher: &Arc<Launcher>, saved: &SavedStates) -> MadeWorkspaces {
    let strategy = Strategy::find(launcher, &state.scratch().join("checkout")).await;
    tracing::info!(%strategy, "this is how workspaces of repositories get their files here");
    let mirrors = Mirrors::new(state.mirrors.clone(), state.scratch(), Arc::clone(launcher));
    let checkouts = Checkouts::new(mirrors, strategy, state.scratch(), Arc::clone(launcher));
    let (dir, scratch) = (state.workspaces.clone(), state.scratch());
    let made = MadeWorkspaces::new(config.id.clone(), dir, scratch, Arc::clone(launcher), checkouts, saved.clone());
    let reviving = made.clone();
    let _ = tokio::task::spawn_blocking(move || reviving.revive()).await;
    made
}

/// What the actors of a node work with.
struct Parts {
    launcher: Arc<Launcher>,
    journal: Journal,
    gate: Gate,
    saved: SavedStates,
    made: MadeWorkspaces,
}

async fn start_actors(
    config: &NodeConfig,
    state: &State,
    root: &Root,
    record: NodeRecord,
    Parts { launcher, journal, gate, saved, made }: Parts,
) -> Result<NodeHandle, SpawnErr> {
    let disk = made.clone();
    let places = Places::new(config.capacity.sessions);
    let shared = Shared {
        node: config.id.clone(),
        git: Git::new(Arc::clone(&launcher)),
        files: Files::new(Arc::clone(&launcher)),
        file_access: FileAccess::new(Arc::clone(&launcher)),
        saved,
        made,
        launcher,
        places: places.clone(),
        gate: gate.clone(),
        journal: journal.clone(),
        turns: Arc::new(Semaphore::new(LOOKS)),
        scratch: state.scratch(),
        checkpoints: state.checkpoints.as_path().to_owned(),
    };
    let args = NodeArgs { shared, sessions: state.sessions(), at_once: config.capacity.sessions };
    let (supervisor, _) = Actor::spawn_linked(None, NodeSupervisor, args, root.cell()).await?;
    Ok(NodeHandle {
        supervisor: BoundedRef::new(supervisor.clone(), REQUESTS),
        to_sessions: BoundedRef::new(supervisor, TO_SESSIONS),
        places,
        gate,
        record: Arc::new(record),
        membership: config.membership.clone(),
        disk: Disk::new(disk, journal.clone()),
        journal,
        sessions: state.sessions().into(),
        closing: CancellationToken::new(),
        stopping: CancellationToken::new(),
    })
}

/// Whom the node dials. What cannot be dialed was refused with the configuration.
fn places(config: &NodeConfig) -> Vec<DialOut> {
    let place = |listen: &Listen| match (listen, &config.membership, &config.dial_out_token) {
        (Listen::Tls(host), Some(membership), _) => Some(DialOut::Member(host.clone(), membership.clone())),
        (Listen::Tcp(address), _, Some(token)) => Some(DialOut::Loopback(*address, token.clone())),
        (_, _, _) => None,
    };
    config.dial_out.iter().filter_map(place).collect()
}

fn address(bound: &Bound) -> NodeAddress {
    match bound {
        Bound::Tcp(_, address) => NodeAddress::Tcp(address.to_string()),
        Bound::Tls(_, address) => NodeAddress::Tls(address.to_string()),
        Bound::Unix(_, path) => NodeAddress::Unix(path.display().to_string()),
    }
}

impl Running {
    /// The node as it is registered.
    #[must_use]
    pub fn record(&self) -> &NodeRecord {
        &self.node.record
    }

    /// Where it listens, with real ports, in the order of the configuration.
    #[must_use]
    pub fn addresses(&self) -> &[NodeAddress] {
        &self.addresses
    }

    /// Makes connections inside this process.
    #[must_use]
    pub const fn pipe(&self) -> &PipeConnector {
        &self.pipe
    }

    /// Judges by other marks and another ceiling from now on. What runs is left as it is.
    pub fn reload(&self, watermarks: Watermarks, ceiling: &Ceiling) {
        self.node.gate.judge_by(watermarks);
        self.launcher.admission.allow(ceiling);
    }

    /// Registers the metrics of this node and of all nodes of the process.
    pub fn register_metrics(&self, metrics: &mut Metrics) {
        crate::session::metrics::register(metrics);
        let (gate, places) = (self.node.gate.clone(), self.node.places.clone());
        metrics.register_collector(Box::new(LoadCollector { gate, places }));
    }

    /// What must hold for the node to take work, asked whenever somebody wants to know.
    pub fn checks(&self) -> impl Fn() -> Vec<Check> + Send + Sync + use<> {
        let node = self.node.clone();
        move || {
            let stopping =
                (node.closing.is_cancelled() || node.stopping.is_cancelled()).then(|| "the node is stopping".to_owned());
            let short = node.gate.last_measured(node.places.load()).short;
            let names: Vec<_> = short.iter().map(|resource| resource.name()).collect();
            let short = (!names.is_empty()).then(|| format!("too little to start sessions: {}", names.join(", ")));
            vec![Check::new("serving", stopping), Check::new("resources", short)]
        }
    }

    /// Waits until the node cannot go on, because an actor that has no other to take its place has failed. Dropping the future loses
    /// nothing.
    pub async fn ended(&mut self) {
        if let Some(root) = &mut self.root {
            root.ended().await;
            self.servers.not_serving().await;
        }
    }

    /// Ends all sessions and forgets them, for a process that takes its sessions with it. New ones may still be started.
    ///
    /// # Errors
    /// The actors did not answer; what runs on ends by its ownerless time.
    pub async fn stop_sessions(&self, by: &str) -> Result<(), AskError> {
        let by = by.to_owned();
        self.node.supervisor.ask(STOP_SESSIONS_DEADLINE, |reply| NodeMsg::DiscardAll { by, reply }).await
    }

    /// Leaves the registry, begins nothing new from now on, and waits until what runs has ended, or for as long as `grace`. Says how many sessions run
    /// on.
    pub async fn drain(&mut self, grace: Duration) -> u32 {
        self.servers.not_serving().await;
        if let Some(registration) = self.registration.take() {
            registration.release().await;
        }
        self.node.closing.cancel();
        let live = || {
            let load = self.node.places.load();
            load.running + load.starting
        };
        let ended = async {
            while live() > 0 {
                tokio::time::sleep(LOOK).await
            }
        };
        let _ = tokio::time::timeout(grace, ended).await;
        live()
    }

    /// Stops the node in order: it says that it no longer serves, leaves the registry, ends its streams, and stops its actors. Sessions
    /// live on.
    pub async fn shutdown(mut self) {
        self.servers.not_serving().await;
        if let Some(registration) = self.registration.take() {
            registration.release().await;
        }
        self.node.stopping.cancel();
        self.servers.ended().await;
        if let Some(root) = self.root.take() {
            root.stop("the node is shut down").await;
        }
        self.node.journal.flush().await;
        self.launcher.runner.stop().await;
        let load = self.node.places.load();
        if load.running + load.starting == 0 {
            // A session that lives on has its own view of these mounts, and a second one of the same layer would be one too many.
            let made = self.made.clone();
            let _ = tokio::task::spawn_blocking(move || made.rest()).await;
        }
        let resist = sweep::clear_scratch(&self.state.scratch()).await;
        sweep::remove(resist).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.stopping.cancel();
        if let Some(root) = &self.root {
            root.cell().stop(Some("the node was dropped".to_owned()));
        }
    }
}
