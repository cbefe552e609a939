//! The node's gRPC servers, one for each listener.

use super::dial_out::{self, Doors};
use crate::node::handle::NodeHandle;
use crate::service::exec::ExecService;
use crate::service::files::FilesService;
use crate::service::gate::Gate;
use crate::service::node::NodeService;
use crate::service::operate::OperateService;
use crate::service::workspace::WorkspaceService;
use capstan_identity::tls::Callers;
use capstan_proto::convert::workspace::MAX_PATCH;
use capstan_proto::guard::Guard;
use capstan_proto::token::Token;
use capstan_proto::transport::dial::DialOut;
use capstan_proto::transport::tls::TlsIncoming;
use capstan_proto::transport::{Bound, PipeConnector, pipe};
use capstan_proto::wire::node::exec_server::ExecServer;
use capstan_proto::wire::node::files_server::FilesServer;
use capstan_proto::wire::node::node_server::NodeServer;
use capstan_proto::wire::node::operate_server::OperateServer;
use capstan_proto::wire::node::workspace_server::WorkspaceServer;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpIncoming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;
use tower::layer::util::{Identity, Stack};

/// The names that health is asked for by: all of the server, and each service.
const HEALTH_NAMES: [&str; 6] = [
    "",
    "capstan.node.v1.Exec",
    "capstan.node.v1.Files",
    "capstan.node.v1.Operate",
    "capstan.node.v1.Workspace",
    "capstan.node.v1.Node",
];

/// Requests and streams that one connection may have open. A coordinator has one for each session it follows; past this it waits, and
/// that must not happen to a kill.
const STREAMS: u32 = 8192;

/// How much output may be under way to a reader that has not taken it yet, in bytes, for one stream and for a connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// A silent peer is asked whether it lives after this time, and given up after as long again, so that the sessions of a coordinator
/// that vanished without a word become ownerless.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The same for a connection that the node made itself: if it is half open, nobody but the node can make another, and should within 10
/// seconds.
const DIALED_KEEPALIVE: Duration = Duration::from_secs(4);

/// Connections that were made and wait to be served. Full: the next one waits.
const DIALED: usize = 16;

/// How long connections may take to finish when the node stops.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the largest request has besides its patch, in bytes.
const ENVELOPE: usize = 1 << 20;

/// The largest request that brings a file, in bytes.
const LARGEST_FILE: usize = 10 << 20;

/// Whom the node dials.
#[derive(Debug)]
pub(super) struct Dialing {
    pub(super) places: Vec<DialOut>,
    /// What coordinators on loopback must know.
    pub(super) token: Option<Token>,
}

/// The servers of a node. Dropping it stops them at once.
#[derive(Debug)]
pub(super) struct Servers {
    running: JoinSet<()>,
    dialing: JoinSet<()>,
    health: HealthReporter,
    sockets: Vec<Socket>,
}

/// A Unix socket as it was when it was bound: by then another may have its name.
#[derive(Debug)]
struct Socket {
    path: PathBuf,
    inode: Option<u64>,
}

impl Socket {
    fn at(path: PathBuf) -> Self {
        Self { inode: inode(&path), path }
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}

impl Servers {
    /// Serves on each place that was bound, and on a pipe. They stop taking connections when the node begins to stop.
    pub(super) async fn start(
        node: &NodeHandle,
        bound: Vec<Bound>,
        token: Option<Token>,
        dialed: Dialing,
    ) -> (Self, PipeConnector) {
        let (health, health_service) = tonic_health::server::health_reporter();
        let mut servers = Self { running: JoinSet::new(), dialing: JoinSet::new(), health, sockets: Vec::new() };
        servers.report(ServingStatus::Serving).await;
        let gate = token.map_or(Gate::Open, Gate::Token);
        for bound in bound {
            match (bound, node.membership.clone()) {
                (Bound::Tls(listener, _), Some(membership)) => {
                    let incoming = TlsIncoming::new(listener, membership.clone(), Callers::Members);
                    let router = router(node, Guard::Members(membership), Gate::Open, health_service.clone());
                    let stopping = node.stopping.clone();
                    servers.running.spawn(async move {
                        served(router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await);
                    });
                }
                (bound, _) => {
                    servers.listen(bound, router(node, Guard::Open, gate.clone(), health_service.clone()), &node.stopping);
                }
            }
        }
        servers.dial(node, dialed, &health_service);
        let (connector, listener) = pipe();
        let router = router(node, Guard::Open, Gate::Open, health_service);
        let stopping = node.stopping.clone();
        servers.running.spawn(async move {
            served(router.serve_with_incoming_shutdown(listener, stopping.cancelled_owned()).await);
        });
        (servers, connector)
    }

    /// Serves the connections that the node makes itself.
    fn dial<H: Health>(&mut self, node: &NodeHandle, Dialing { places, token }: Dialing, health: &HealthServer<H>) {
        if places.is_empty() {
            return;
        }
        let (members, of_members) = mpsc::channel(DIALED);
        let (plain, of_plain) = mpsc::channel(DIALED);
        if let Some(membership) = node.membership.clone() {
            let router = router_of(node, Guard::Members(membership), Gate::Open, health.clone(), DIALED_KEEPALIVE);
            let (stopping, incoming) = (node.stopping.clone(), ReceiverStream::new(of_members).map(Ok::<_, io::Error>));
            self.running.spawn(async move {
                served(router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await);
            });
        }
        // Without one, there is none on loopback.
        if let Some(token) = token {
            let router = router_of(node, Guard::Open, Gate::Token(token), health.clone(), DIALED_KEEPALIVE);
            let (stopping, incoming) = (node.stopping.clone(), ReceiverStream::new(of_plain).map(Ok::<_, io::Error>));
            self.running.spawn(async move {
                served(router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await);
            });
        }
        self.dialing = dial_out::keep(places, node, &Doors { members, plain });
    }

    fn listen(&mut self, bound: Bound, router: Guarded, stopping: &CancellationToken) {
        let stopping = stopping.clone();
        match bound {
            // Nobody is served at it: without a membership, a configuration that names one is refused.
            Bound::Tls(..) => {}
            Bound::Tcp(listener, _) => {
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                self.running.spawn(async move {
                    served(router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await);
                });
            }
            Bound::Unix(listener, path) => {
                self.sockets.push(Socket::at(path));
                let incoming = UnixListenerStream::new(listener);
                self.running.spawn(async move {
                    served(router.serve_with_incoming_shutdown(incoming, stopping.cancelled_owned()).await);
                });
            }
        }
    }

    /// Answers health checks with NOT_SERVING from now on.
    pub(super) async fn not_serving(&self) {
        self.report(ServingStatus::NotServing).await;
    }

    async fn report(&self, status: ServingStatus) {
        for name in HEALTH_NAMES {
            self.health.set_service_status(name, status).await;
        }
    }

    /// Waits for the servers to finish what is under way, and ends those that do not.
    pub(super) async fn ended(&mut self) {
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(GOODBYE, all).await.is_err() {
            self.running.shutdown().await;
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for socket in &self.sockets {
            if socket.inode.is_some() && inode(&socket.path) == socket.inode {
                let _ = std::fs::remove_file(&socket.path);
            }
        }
    }
}

/// The services of one listener, behind their guard.
type Guarded = Router<Stack<Guard, Identity>>;

fn router<H: Health>(node: &NodeHandle, guard: Guard, gate: Gate, health: HealthServer<H>) -> Guarded {
    router_of(node, guard, gate, health, KEEPALIVE)
}

fn router_of<H: Health>(node: &NodeHandle, guard: Guard, gate: Gate, health: HealthServer<H>, keepalive: Duration) -> Guarded {
    let workspace = WorkspaceServer::new(WorkspaceService::new(node.clone())).max_decoding_message_size(MAX_PATCH + ENVELOPE);
    let files = FilesServer::new(FilesService::new(node.clone())).max_decoding_message_size(LARGEST_FILE);
    Server::builder()
        .layer(guard)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(keepalive))
        .http2_keepalive_timeout(Some(keepalive))
        .add_service(health)
        .add_service(ExecServer::with_interceptor(ExecService::new(node.clone()), gate.clone()))
        .add_service(OperateServer::with_interceptor(OperateService::new(node.clone()), gate.clone()))
        .add_service(tonic::service::interceptor::InterceptedService::new(workspace, gate.clone()))
        .add_service(tonic::service::interceptor::InterceptedService::new(files, gate.clone()))
        .add_service(NodeServer::with_interceptor(NodeService::new(node.clone()), gate))
}

fn served(result: Result<(), tonic::transport::Error>) {
    if let Err(error) = result {
        tracing::error!(error = &error as &dyn std::error::Error, "a listener of the node has failed");
    }
}
