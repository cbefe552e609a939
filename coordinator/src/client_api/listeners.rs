//! The places at which clients are served: a pipe in memory, Unix sockets of this user, loopback TCP with a token, and TLS for members of
//! a cluster.

use super::connections::{Connections, Placed};
use super::files::FilesService;
use super::gate::Gate;
use super::health::CoordinatorHealth;
use super::identity::IdentityService;
use super::nodes::NodesService;
use super::plain::{Plain, not_accepted};
use super::sessions::SessionsService;
use super::threads::ThreadsService;
use super::turns::TurnsService;
use super::uploads::UploadsService;
use super::workspaces::WorkspacesService;
use crate::thread::open::Threads;
use capstan_identity::issuer::Issuer;
use capstan_identity::membership::Membership;
use capstan_identity::tls::Callers;
use capstan_proto::guard::Guard;
use capstan_proto::token::Token;
use capstan_proto::transport::tls::{DialedIn, TlsIncoming};
use capstan_proto::transport::{Bound, PipeListener, peer};
use capstan_proto::wire::client::files_server::FilesServer;
use capstan_proto::wire::client::nodes_server::NodesServer;
use capstan_proto::wire::client::sessions_server::SessionsServer;
use capstan_proto::wire::client::threads_server::ThreadsServer;
use capstan_proto::wire::client::turns_server::TurnsServer;
use capstan_proto::wire::client::uploads_server::UploadsServer;
use capstan_proto::wire::client::workspaces_server::WorkspacesServer;
use capstan_proto::wire::identity::identity_server::IdentityServer;
use futures::stream::{self, BoxStream, StreamExt as _};
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tower::layer::util::{Identity, Stack};

/// The largest request that is taken from a client: a prompt with pictures.
const LARGEST_REQUEST: usize = 128 << 20;

/// The largest request that brings a file, in bytes.
const LARGEST_FILE: usize = 10 << 20;
/// The largest piece of an upload, with its record as one of them.
const LARGEST_PIECE: usize = 8 << 20;

/// Requests and streams that one connection may have open. Past this it waits.
const STREAMS: u32 = 1024;

/// A silent client is asked whether it lives after this time, and given up after as long again.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Serves clients, each listener in a task of the owner's, until `stop` is cancelled.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    pub(crate) threads: Threads,
    pub(crate) nodes: NodesService,
    pub(crate) uploads: UploadsService,
    /// What clients over TCP must know.
    pub(crate) token: Option<Token>,
    /// What makes this coordinator a member of a cluster, where members are served.
    pub(crate) membership: Option<Membership>,
    /// The cluster's authority, if it is here.
    pub(crate) issuer: Option<Arc<Issuer>>,
    /// Where nodes go that call to be asked.
    pub(crate) dialed: mpsc::Sender<DialedIn>,
    pub(crate) health: CoordinatorHealth,
    pub(crate) stop: CancellationToken,
}

impl Listeners {
    /// Serves the pipe.
    pub(crate) fn pipe(&self, pipe: PipeListener) -> impl Future<Output = ()> + Send + 'static {
        let (router, stop) = (self.router(Guard::Open, Gate::Open), self.stop.clone());
        async move { served(router.serve_with_incoming_shutdown(pipe, stop.cancelled_owned()).await) }
    }

    /// Serves a place that was bound. There is a token, if it is TCP.
    pub(crate) fn bound(&self, bound: Bound) -> impl Future<Output = ()> + Send + 'static {
        // Of each listener's own: who crowds a port that every user of the host can reach keeps nobody from this user's socket.
        let (stop, connections) = (self.stop.clone(), Connections::default());
        let gate = match &bound {
            Bound::Tcp(..) => self.token.clone().map_or(Gate::Open, Gate::Token),
            Bound::Tls(..) | Bound::Unix(..) => Gate::Open,
        };
        let (membership, dialed) = (self.membership.clone(), self.dialed.clone());
        let guard = match (&bound, &membership) {
            (Bound::Tls(..), Some(membership)) => Guard::Members(membership.clone()),
            (Bound::Tls(..) | Bound::Tcp(..) | Bound::Unix(..), _) => Guard::Open,
        };
        let router = self.router(guard, gate);
        async move {
            served(match bound {
                Bound::Tls(listener, _) => {
                    // A configuration that lets members in without being one was refused.
                    let Some(membership) = membership else { return };
                    // Whoever is none yet may join; what else they ask is refused by the guard.
                    let incoming = TlsIncoming::new(listener, membership, Callers::Anybody).dialed_to(dialed);
                    router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
                }
                Bound::Tcp(listener, _) => {
                    let incoming = Plain::new(listener, connections, dialed).incoming();
                    router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await
                }
                Bound::Unix(listener, _) => {
                    router.serve_with_incoming_shutdown(over_unix(listener, connections), stop.cancelled_owned()).await
                }
            });
        }
    }

    fn router(&self, guard: Guard, gate: Gate) -> Router<Stack<Guard, Identity>> {
        let turns = TurnsServer::new(TurnsService(self.threads.clone())).max_decoding_message_size(LARGEST_REQUEST);
        // Where nobody is a member there is nothing to join.
        let identity = match &guard {
            Guard::Members(membership) => {
                let service = IdentityService::new(membership.clone(), self.issuer.clone(), self.stop.clone());
                Some(IdentityServer::new(service))
            }
            Guard::Open => None,
        };
        let uploads = UploadsServer::new(self.uploads.clone()).max_decoding_message_size(LARGEST_PIECE);
        let sessions = SessionsService { threads: self.threads.clone(), membership: self.membership.clone() };
        let workspaces = WorkspacesService { threads: self.threads.clone(), membership: self.membership.clone() };
        let files = FilesService { threads: self.threads.clone(), membership: self.membership.clone() };
        let files = FilesServer::new(files).max_decoding_message_size(LARGEST_FILE);
        Server::builder()
            .layer(guard)
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .add_optional_service(identity)
            .add_service(self.health.service())
            .add_service(ThreadsServer::with_interceptor(ThreadsService(self.threads.clone()), gate.clone()))
            .add_service(NodesServer::with_interceptor(self.nodes.clone(), gate.clone()))
            .add_service(SessionsServer::with_interceptor(sessions, gate.clone()))
            .add_service(InterceptedService::new(files, gate.clone()))
            .add_service(WorkspacesServer::with_interceptor(workspaces, gate.clone()))
            .add_service(InterceptedService::new(uploads, gate.clone()))
            .add_service(InterceptedService::new(turns, gate))
    }
}

fn served(result: Result<(), tonic::transport::Error>) {
    if let Err(error) = result {
        tracing::error!(error = &error as &dyn std::error::Error, "a listener of the client API has failed");
    }
}

/// Whoever may open the socket's file could connect; root may open every file, and the directory is not always ours to close.
fn over_unix(listener: UnixListener, connections: Connections) -> BoxStream<'static, io::Result<Placed<UnixStream>>> {
    let next = async |listener: &UnixListener| {
        let (stream, _) = listener.accept().await?;
        peer::own(&stream).map(|()| stream)
    };
    stream::unfold((listener, connections), move |(listener, connections)| async move {
        loop {
            match next(&listener).await {
                Ok(stream) => {
                    if let Some(placed) = connections.take(stream) {
                        return Some((Ok(placed), (listener, connections)));
                    }
                }
                Err(error) => not_accepted(&error).await,
            }
        }
    })
    .boxed()
}
