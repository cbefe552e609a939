//! The coordinator's side.

use super::super::any_wire::{AnyWire, Wire};
use super::super::breakable::Breakable;
use super::super::connect::with_deadlines;
use super::super::tls::DialedIn;
use super::PREAMBLE;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint, Uri};

/// How long whoever connects may take to say what it wants.
const FIRST_WORD: Duration = Duration::from_secs(20);

/// Waits for the first word on a plain connection: whether a node dials in. The words of others are left where they are.
///
/// # Errors
/// Nothing is said in time, or the connection ends.
pub async fn asks_to_dial(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let heard = timeout(FIRST_WORD, stream.peek(&mut first)).await;
    match heard.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0] == PREAMBLE[0]),
    }
}

/// A plain connection that asks to dial.
///
/// # Errors
/// It says something else.
pub async fn plain(stream: impl Wire + 'static) -> io::Result<DialedIn> {
    let mut stream: AnyWire = Box::new(stream);
    let mut said = vec![0; PREAMBLE.len()];
    timeout(FIRST_WORD, stream.read_exact(&mut said)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    if said != PREAMBLE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is neither HTTP nor a node of this release"));
    }
    Ok(DialedIn { stream, known: None })
}

/// A channel over a connection on which the sides have changed places. When the connection is lost, so is the channel. The place is free
/// again when the connection is closed.
///
/// # Errors
/// The connection is lost already.
pub async fn dialed_channel(stream: AnyWire, place: OwnedSemaphorePermit) -> Result<Channel, tonic::transport::Error> {
    let held = Arc::new(Mutex::new(Some(Breakable::whole(stream, ()).holding(place))));
    let connect = tower::service_fn(move |_: Uri| {
        let stream = held.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let lost = || io::Error::new(io::ErrorKind::NotConnected, "the node's connection to this coordinator was lost");
            stream.map(hyper_util::rt::TokioIo::new).ok_or_else(lost)
        }
    });
    // Asked whether it lives also while nobody waits for anything: nobody but the node can connect again.
    let endpoint = with_deadlines(Endpoint::from_static("http://dialed.invalid")).keep_alive_while_idle(true);
    endpoint.connect_with_connector(connect).await
}
