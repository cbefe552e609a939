//! A channel to a server, from its address.

use super::listen::Listen;
use super::peer;
use super::windows::with_windows;
use capstan_types::node::NodeAddress;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint, Uri};

/// The longest a connection may take to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// A silent peer is asked whether it lives after this time, and given up after as long again, so that a half-open connection is
/// found within 10 seconds.
const KEEPALIVE: Duration = Duration::from_secs(4);

/// An address that no channel can be made for. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error("`{0}` is not an address; use HOST:PORT or unix:///PATH")]
    Syntax(String),
    /// It calls, and is not called.
    #[error(
        "the node dials out to coordinators, and was seen at {0} last; name this coordinator as well behind the node's --dial-out"
    )]
    Dialed(String),
    /// It is on another host, and whoever sits between could read along.
    #[error("{0} is on another host, and is reached by TLS only; have it join the cluster, and listen at https://{0}")]
    NotLoopback(String),
    /// Members of a cluster are reached as one of them.
    #[error("https://{0} is reached by members of its cluster only; use a coordinator that is one, with --coordinator")]
    Membership(String),
    /// The embedded node has no address outside its process.
    #[error("the embedded node can only be reached inside its own process")]
    Embedded,
}

/// A channel to the server at `address`. It connects when first used, and again when the connection was lost.
///
/// # Errors
/// An address that is not one.
pub fn channel(address: &NodeAddress) -> Result<Channel, ConnectError> {
    match address {
        NodeAddress::Embedded => Err(ConnectError::Embedded),
        NodeAddress::Tls(host) => Err(ConnectError::Membership(host.clone())),
        NodeAddress::Dialed(coordinator) => Err(ConnectError::Dialed(coordinator.clone())),
        // What is sent there bears the nodes' token. An address may come from a registry, which each node writes its own into.
        NodeAddress::Tcp(host) if !host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback()) => {
            Err(match host.parse::<SocketAddr>() {
                Ok(_) => ConnectError::NotLoopback(host.clone()),
                Err(_) => ConnectError::Syntax(host.clone()),
            })
        }
        NodeAddress::Tcp(host) => {
            let endpoint = Endpoint::from_shared(format!("http://{host}")).map_err(|_| ConnectError::Syntax(host.clone()))?;
            Ok(with_deadlines(endpoint).tcp_nodelay(true).connect_lazy())
        }
        NodeAddress::Unix(path) => {
            let path = PathBuf::from(path);
            let connect = tower::service_fn(move |_: Uri| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
            });
            // The authority is never resolved: the connector knows the path.
            Ok(with_deadlines(Endpoint::from_static("http://unix.invalid")).connect_with_connector_lazy(connect))
        }
    }
}

/// A channel to a server of this user: a Unix socket of another user is refused each time it is connected to.
///
/// # Errors
/// The place is reached by members of a cluster.
pub fn own_channel(place: &Listen) -> Result<Channel, ConnectError> {
    match place {
        Listen::Tls(host) => Err(ConnectError::Membership(host.clone())),
        Listen::Tcp(address) => Ok(with_deadlines(at(*address)).tcp_nodelay(true).connect_lazy()),
        Listen::Unix(path) => {
            let path = path.clone();
            let connect = tower::service_fn(move |_: Uri| {
                let path = path.clone();
                async move { own_socket(&path).await.map(hyper_util::rt::TokioIo::new) }
            });
            Ok(with_deadlines(Endpoint::from_static("http://unix.invalid")).connect_with_connector_lazy(connect))
        }
    }
}

/// Connects once and hangs up, to see whether somebody serves there. A channel would only say that something went wrong.
///
/// # Errors
/// What the system says; `PermissionDenied` for a Unix socket of another user, `TimedOut` when nobody answers.
pub async fn try_out(place: &Listen) -> io::Result<()> {
    let tried = async {
        match place {
            Listen::Tls(host) => TcpStream::connect(host).await.map(drop),
            Listen::Tcp(address) => TcpStream::connect(address).await.map(drop),
            Listen::Unix(path) => own_socket(path).await.map(drop),
        }
    };
    tokio::time::timeout(CONNECT_DEADLINE, tried).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn own_socket(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path).await?;
    peer::own(&stream)?;
    Ok(stream)
}

fn at(address: SocketAddr) -> Endpoint {
    // An address is always an authority.
    Endpoint::from_shared(format!("http://{address}")).unwrap_or_else(|_| Endpoint::from_static("http://address.invalid"))
}

pub(super) fn with_deadlines(endpoint: Endpoint) -> Endpoint {
    with_windows(endpoint).connect_timeout(CONNECT_DEADLINE).http2_keep_alive_interval(KEEPALIVE).keep_alive_timeout(KEEPALIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_goes_to_another_host_in_the_clear() {
        let to = |host: &str| channel(&NodeAddress::Tcp(host.to_owned())).map(drop);
        assert!(to("127.0.0.1:70").is_ok() && to("[::1]:70").is_ok());
        assert_eq!(to("10.0.0.7:70"), Err(ConnectError::NotLoopback("10.0.0.7:70".to_owned())));
        // A name is whatever somebody's resolver says.
        assert_eq!(to("localhost:70"), Err(ConnectError::Syntax("localhost:70".to_owned())));
    }
}
