//! Connections on loopback: of clients, and of nodes that call to be asked. The first byte tells them apart.

use super::connections::{Connections, Placed};
use capstan_proto::transport::dial::{asks_to_dial, plain};
use capstan_proto::transport::tls::DialedIn;
use futures::stream::{self, BoxStream, StreamExt as _};
use std::io;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long no connection is accepted after one could not be, such as for want of descriptors: to try at once would only be to fail again.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// One listener.
#[derive(Debug)]
pub(super) struct Plain {
    listener: TcpListener,
    connections: Connections,
    dialed: mpsc::Sender<DialedIn>,
    /// Those that have not said anything yet. There are as many at most as there are places.
    silent: JoinSet<Option<Placed<TcpStream>>>,
}

impl Plain {
    pub(super) fn new(listener: TcpListener, connections: Connections, dialed: mpsc::Sender<DialedIn>) -> Self {
        Self { listener, connections, dialed, silent: JoinSet::new() }
    }

    /// The connections of clients.
    pub(super) fn incoming(self) -> BoxStream<'static, io::Result<Placed<TcpStream>>> {
        stream::unfold(self, |mut plain| async move {
            let next = plain.next().await;
            Some((Ok(next), plain))
        })
        .boxed()
    }

    async fn next(&mut self) -> Placed<TcpStream> {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted.and_then(|(stream, _)| stream.set_nodelay(true).map(|()| stream)) {
                    Ok(stream) => {
                        if let Some(placed) = self.connections.take(stream) {
                            self.silent.spawn(sorted(placed, self.dialed.clone()));
                        }
                    }
                    Err(error) => not_accepted(&error).await,
                },
                Some(sorted) = self.silent.join_next() => {
                    if let Ok(Some(client)) = sorted {
                        return client;
                    }
                }
            }
        }
    }
}

/// A client's connection. A node's goes its own way.
async fn sorted(placed: Placed<TcpStream>, dialed: mpsc::Sender<DialedIn>) -> Option<Placed<TcpStream>> {
    match asks_to_dial(placed.stream()).await {
        Ok(false) => return Some(placed),
        Ok(true) => {
            let arrived = plain(placed).await.inspect_err(|error| tracing::debug!(%error, "a connection is closed")).ok()?;
            if dialed.try_send(arrived).is_err() {
                tracing::warn!("a node that dials in is closed: too many come at once");
            }
        }
        Err(error) => tracing::debug!(%error, "a connection is closed"),
    }
    None
}

/// A connection that fails is not the last.
pub(super) async fn not_accepted(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    if error.kind() != io::ErrorKind::PermissionDenied {
        tokio::time::sleep(AFTER_A_FAILURE).await;
    }
}
