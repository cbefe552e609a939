//! Everything in one process: a coordinator, and a node behind a pipe or at an address. The only place that knows both daemons.

use crate::client::Client;
use crate::failure::Failure;
use crate::home::Home;
use crate::host;
use crate::kept;
use crate::kept::Kept;
use crate::surroundings::Surroundings;
use capstan_agent_node::{CheckpointDir, JournalSync, NodeConfig, RunnerPath, StateDir, Watermarks, base_environment};
use capstan_blobs::Blobs;
use capstan_coordinator::models::Models;
use capstan_coordinator::{CoordinatorConfig, RegistryLocation, StaticNode};
use capstan_identity::issuer::Issuer;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::Listen;
use capstan_runtime::monitor::Check;
use capstan_types::node::NodeAddress;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Ceiling, Level, SandboxMode};
use capstan_types::thread::{OnInterrupt, ThreadSettings};
use prometheus_client::registry::Registry;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// The embedded node's name.
const NODE: &str = "local";

/// Sessions that an embedded node runs at once.
const SESSIONS: u32 = 256;

/// Sessions that an embedded node is ready for ahead of their start.
const PREPARED: u32 = 1;

/// The longest that each part may take to stop. What is left then ends with its own deadlines, or with the process.
const STOP_DEADLINE: Duration = Duration::from_secs(15);

/// Where the sessions run.
#[derive(Debug, Clone)]
pub enum Hands {
    /// On a node in this process.
    Embedded(Box<NodeConfig>),
    /// On the nodes at these addresses.
    Remote(Vec<StaticNode>),
    /// On the nodes that a registry knows, which let one in with this token.
    Registered(RegistryLocation, Option<Token>),
}

/// How a coordinator is reached by others, and whose threads it goes on with.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// The line of coordinators that it is of; `None` for one that lives as long as its command.
    pub line: Option<String>,
    /// Where it listens.
    pub listen: Vec<Listen>,
    /// What clients over TCP must know.
    pub token: Option<Token>,
    /// What makes it a member of a cluster.
    pub membership: Option<Membership>,
    /// The cluster's authority, if it holds that.
    pub issuer: Option<Arc<Issuer>>,
    /// Where it keeps what operators order for nodes that no registry elsewhere knows.
    pub orders: Option<PathBuf>,
    /// How long its turns may take to end when it stops.
    pub grace: Duration,
}

/// A coordinator, and perhaps a node.
#[derive(Debug)]
pub struct Stack {
    coordinator: capstan_coordinator::Running,
    grace: Duration,
    node: Option<capstan_agent_node::Running>,
}

/// What an embedded node is made of.
///
/// # Errors
/// The node's name is not one; it is a constant.
pub fn node_config(
    home: &Home,
    surroundings: &Surroundings,
    runner: RunnerPath,
    ceiling: Ceiling,
    watermarks: Watermarks,
) -> Result<NodeConfig, Failure> {
    Ok(NodeConfig {
        id: NODE.parse().map_err(Failure::bad_input)?,
        state_dir: StateDir::SlotIn(home.embedded_nodes()),
        checkpoints: CheckpointDir::At(home.checkpoints()),
        runner,
        prepared: PREPARED,
        listen: Vec::new(),
        token: None,
        advertise: None,
        dial_out: Vec::new(),
        dial_out_token: None,
        membership: None,
        capacity: host::capacity(SESSIONS),
        stock: capstan_types::stock::Stock::default(),
        watermarks,
        labels: [].into(),
        base_env: base_environment(|name| surroundings.variable(name).map(str::to_owned)),
        // It holds keys and other threads' conversations.
        hidden: vec![home.path().clone()],
        ceiling,
        root_allowed: true,
        blobs: None,
        strongest: Level::Full,
        journal: JournalSync::On,
    })
}

/// A node that `--node` names by its address.
///
/// # Errors
/// It is not an address.
pub fn named_node(address: &str, token: Option<Token>) -> Result<StaticNode, Failure> {
    let address = match address.parse::<Listen>().map_err(|error| Failure::bad_input(format!("--node: {error}")))? {
        Listen::Tcp(address) => NodeAddress::Tcp(address.to_string()),
        Listen::Tls(host) => NodeAddress::Tls(host),
        Listen::Unix(path) => NodeAddress::Unix(path.display().to_string()),
    };
    Ok(StaticNode { address, token })
}

/// Whether the home directory can be hidden from the sessions. What a session may write it may also read, so a writable directory above
/// the home directory would lay its keys open, and the runner refuses every command.
///
/// # Errors
/// It cannot, and what to do.
pub fn check_home(home: &Home, settings: &ThreadSettings) -> Result<(), Failure> {
    if settings.sandbox != SandboxMode::WorkspaceWrite {
        return Ok(());
    }
    let temp = settings.profile.as_ref().map_or(!settings.exclude_slash_tmp, |profile| profile.temp);
    let tmp = temp.then(|| AbsPath::new("/tmp")).into_iter().flatten();
    let named = match &settings.profile {
        Some(profile) => profile.policy(&settings.cwd, &[]).writable,
        None => vec![settings.cwd.clone()],
    };
    let mut roots = named.into_iter().chain(settings.writable_roots.iter().cloned()).chain(tmp);
    let resolved = home.path().as_path().canonicalize().ok().and_then(|path| AbsPath::new(path).ok());
    let real = resolved.as_ref().unwrap_or_else(|| home.path());
    match roots.find(|root| real.is_within(root)) {
        None => Ok(()),
        Some(root) => {
            let sentence =
                format!("the sandbox would let sessions write {root}, which holds CAPSTAN_HOME ({real}) with its keys");
            Err(Failure::bad_input(sentence)
                .hint("set CAPSTAN_HOME to a directory outside of it, work in another directory, or use -s read-only"))
        }
    }
}

impl Hands {
    fn registry(&self, orders: Option<PathBuf>) -> RegistryLocation {
        match self {
            Self::Embedded(_) | Self::Remote(_) => orders.map_or(RegistryLocation::Embedded, RegistryLocation::Kept),
            Self::Registered(registry, _) => registry.clone(),
        }
    }
}

impl Stack {
    /// Starts the node, if it is to be embedded, and the coordinator.
    ///
    /// # Errors
    /// A part does not start; the others are stopped again.
    pub async fn start(kept: impl Into<Kept>, models: Arc<dyn Models>, hands: Hands, door: Door) -> Result<Self, Failure> {
        let Kept { store, blobs, checkpoints, git } = kept.into();
        let opened = blobs.as_ref().map(Blobs::open).transpose().map_err(Failure::bad_input)?;
        let (location, grace) = (hands.registry(door.orders), door.grace);
        let registry = capstan_coordinator::open_registry(&location).await.map_err(Failure::bad_input)?;
        let config = CoordinatorConfig {
            name: name(door.line.as_deref().unwrap_or("exec-")),
            // Whoever goes on with the threads goes on with their sessions.
            at_end: if door.line.is_some() { OnInterrupt::KeepSessions } else { OnInterrupt::KillSessions },
            line: door.line,
            grace,
            listen: door.listen,
            token: door.token,
            membership: door.membership,
            issuer: door.issuer,
            store,
            registry: Arc::clone(&registry),
            blobs: opened.clone(),
            checkpoints,
            git,
            models,
            pipes: Vec::new(),
            nodes: Vec::new(),
            node_token: None,
        };
        match hands {
            Hands::Remote(nodes) => {
                let config = CoordinatorConfig { nodes, ..config };
                Ok(Self { coordinator: coordinator(config).await?, grace, node: None })
            }
            Hands::Registered(_, node_token) => {
                let config = CoordinatorConfig { node_token, ..config };
                Ok(Self { coordinator: coordinator(config).await?, grace, node: None })
            }
            Hands::Embedded(node) => {
                let id = node.id.clone();
                // What it saves is then there for the coordinator too, without being carried.
                let mut node = NodeConfig { blobs: opened, ..*node };
                node.hidden.extend(blobs.as_ref().and_then(kept::place_to_hide));
                let node = capstan_agent_node::serve(node, registry).await.map_err(Failure::bad_input)?;
                let config = CoordinatorConfig { pipes: vec![(id, node.pipe().clone())], ..config };
                match coordinator(config).await {
                    Ok(coordinator) => Ok(Self { coordinator, grace, node: Some(node) }),
                    Err(failure) => {
                        bounded("the node", Duration::ZERO, node.shutdown()).await;
                        Err(failure)
                    }
                }
            }
        }
    }

    /// A client of the coordinator.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::over(&self.coordinator.pipe())
    }

    /// Has the node that is here, if there is one, judge by other marks and another ceiling.
    pub fn reload_node(&self, watermarks: Watermarks, ceiling: &Ceiling) {
        if let Some(node) = &self.node {
            node.reload(watermarks, ceiling);
        }
    }

    /// Registers the metrics of the coordinator, and of the node if there is one here.
    pub fn register_metrics(&self, metrics: &mut Registry) {
        self.coordinator.register_metrics(metrics);
        if let Some(node) = &self.node {
            node.register_metrics(metrics);
        }
    }

    /// What must hold for both to take work.
    pub fn checks(&self) -> impl Fn() -> Vec<Check> + Send + Sync + use<> {
        let (coordinator, node) = (self.coordinator.checks(), self.node.as_ref().map(capstan_agent_node::Running::checks));
        move || coordinator().into_iter().chain(node.iter().flat_map(|node| node())).collect()
    }

    /// Where others reach the coordinator.
    #[must_use]
    pub fn places(&self) -> &[Listen] {
        self.coordinator.places()
    }

    /// Waits until a part cannot go on. Dropping the future loses nothing.
    pub async fn ended(&mut self) {
        match &mut self.node {
            None => self.coordinator.ended().await,
            Some(node) => tokio::select! {
                () = self.coordinator.ended() => {}
                () = node.ended() => {}
            },
        }
    }

    /// Stops everything but the sessions, which live on until their ownerless time. Turns of a coordinator that others inherit from may end within
    /// its grace, and are left to these then; others are interrupted.
    pub async fn leave(self) {
        bounded("the coordinator", self.grace, self.coordinator.shutdown()).await;
        if let Some(node) = self.node {
            bounded("the node", Duration::ZERO, node.shutdown()).await;
        }
    }

    /// Ends what still runs, and stops everything: first who gives orders, then who takes them.
    pub async fn shutdown(self) {
        bounded("the coordinator", self.grace, self.coordinator.shutdown()).await;
        if let Some(node) = self.node {
            if let Some(Err(error)) = bounded("the sessions", Duration::ZERO, node.stop_sessions("the end of the command")).await
            {
                tracing::warn!(%error, "the sessions did not stop");
            }
            bounded("the node", Duration::ZERO, node.shutdown()).await;
        }
    }
}

async fn coordinator(config: CoordinatorConfig) -> Result<capstan_coordinator::Running, Failure> {
    capstan_coordinator::serve(config).await.map_err(Failure::bad_input)
}

/// Unlike that of any other process on the same store: a process id alone comes again.
fn name(line: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{line}{}-{}", std::process::id(), since.as_millis())
}

async fn bounded<T>(what: &str, grace: Duration, stopping: impl Future<Output = T>) -> Option<T> {
    let deadline = grace + STOP_DEADLINE;
    let stopped = timeout(deadline, stopping).await.ok();
    if stopped.is_none() {
        tracing::warn!("{what} did not stop within {} s", deadline.as_secs());
    }
    stopped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn a_home_that_cannot_be_hidden_is_found_before_anything_runs() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().join("inner/home").to_str().unwrap().to_owned())].into();
        let home = Home::open(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap();
        let above = AbsPath::new(dir.path()).unwrap();
        let settings = ThreadSettings { cwd: above.clone(), ..fixture::settings() };
        assert_eq!(check_home(&home, &settings).unwrap_err().exit.code(), 2);
        let read_only = ThreadSettings { sandbox: SandboxMode::ReadOnly, ..settings.clone() };
        assert_eq!(check_home(&home, &read_only), Ok(()));
        let beside = ThreadSettings { cwd: above.join("other").unwrap(), ..settings };
        assert_eq!(check_home(&home, &beside), Ok(()));
        assert!(check_home(&home, &ThreadSettings { writable_roots: vec![above], ..beside }).is_err());
    }
}
