//! The node's side.

use super::super::any_wire::AnyWire;
use super::super::breakable::Breakable;
use super::super::listen::Listen;
use super::super::tls::{Caller, dial};
use super::PREAMBLE;
use super::greeting::{Hello, Reply, introduce};
use crate::token::Token;
use capstan_identity::membership::Membership;
use capstan_types::node::NodeRecord;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// The longest that a plain connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a node is not connected to a coordinator. For the node's operator.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The connection is not made.
    #[error("{0}")]
    Connect(#[from] io::Error),
    /// The coordinator does not let it in.
    #[error("the coordinator does not let this node in: {0}")]
    Refused(String),
}

/// Where and how a node dials out.
#[derive(Debug, Clone)]
pub enum DialOut {
    /// To `HOST:PORT`, as a member of its cluster.
    Member(String, Membership),
    /// To a port of this host, with the coordinator's token.
    Loopback(SocketAddr, Token),
}

/// A connection on which a coordinator asks from now on.
pub struct DialedOut {
    /// The connection, to be served.
    pub stream: Breakable<AnyWire, Option<Caller>>,
    /// What the coordinator is called.
    pub coordinator: String,
}

impl fmt::Debug for DialedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialedOut").field("coordinator", &self.coordinator).finish_non_exhaustive()
    }
}

impl fmt::Display for DialOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(host, _) => Listen::Tls(host.clone()).fmt(f),
            Self::Loopback(address, _) => Listen::Tcp(*address).fmt(f),
        }
    }
}

impl DialOut {
    /// Connects, and says who this node is. The place is free again when the connection is closed.
    ///
    /// # Errors
    /// See [`DialError`].
    pub async fn dial(&self, record: &NodeRecord, place: OwnedSemaphorePermit) -> Result<DialedOut, DialError> {
        let (stream, token) = match self {
            Self::Member(host, membership) => {
                let secured = dial(host, &membership.live, membership.audit.clone()).await?;
                (secured.map(|stream| Box::new(stream) as AnyWire, Some), None)
            }
            Self::Loopback(address, token) => {
                let connected = timeout(CONNECT, TcpStream::connect(address)).await;
                let mut stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
                stream.set_nodelay(true)?;
                stream.write_all(PREAMBLE).await?;
                (Breakable::whole(Box::new(stream) as AnyWire, None), Some(token.reveal().to_owned()))
            }
        };
        let mut stream = stream.holding(place);
        let reply = introduce(stream.stream_mut(), &Hello { record: record.clone(), token }).await?;
        match reply {
            Reply::Come { coordinator } => Ok(DialedOut { stream, coordinator }),
            Reply::Refused { reason } => Err(DialError::Refused(reason)),
        }
    }
}
