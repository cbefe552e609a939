//! The side that connects. Each connection is made with the newest trust, and with the credentials that its channel was made with, so that
//! what is signed for a channel holds for all of its connections.

use super::super::breakable::Breakable;
use super::super::connect::with_deadlines;
use super::caller::Caller;
use super::{HANDSHAKE, denied};
use capstan_identity::audit::{Audit, Entry, Kind};
use capstan_identity::certificate;
use capstan_identity::credentials::Credentials;
use capstan_identity::live::Live;
use capstan_identity::tls::{Expected, RefusedSlot, client_config, dial_config, pinned_config};
use capstan_types::output::digest::Digest;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// A member's channel to another at `host` (`HOST:PORT`), which must be the one that is expected. It connects when first used, and again
/// when the connection was lost. Whoever else is found there is refused, and written to the audit log, if there is one.
#[must_use]
pub fn secured_channel(
    host: &str,
    live: &Live,
    credentials: &Arc<Credentials>,
    expected: Expected,
    audit: Option<Audit>,
) -> Channel {
    let (host, live, credentials) = (host.to_owned(), live.clone(), Arc::clone(credentials));
    let connect = tower::service_fn(move |_: Uri| {
        let (host, live, credentials) = (host.clone(), live.clone(), Arc::clone(&credentials));
        let (expected, audit) = (expected.clone(), audit.clone());
        async move {
            let made = client_config(&credentials, &live.trust(), expected).map_err(io::Error::other)?;
            let stream = shaken(&host, made, audit).await?;
            Ok::<_, io::Error>(hyper_util::rt::TokioIo::new(breakable(stream, live)))
        }
    });
    // The authority is never resolved: the connector knows the host.
    with_deadlines(Endpoint::from_static("http://member.invalid")).connect_with_connector_lazy(connect)
}

/// A newcomer's channel to a coordinator at `host` whose authority has this public key.
#[must_use]
pub fn newcomers_channel(host: &str, pin: Digest) -> Channel {
    let host = host.to_owned();
    let connect = tower::service_fn(move |_: Uri| {
        let host = host.clone();
        async move {
            let made = pinned_config(pin).map_err(io::Error::other)?;
            shaken(&host, made, None).await.map(hyper_util::rt::TokioIo::new)
        }
    });
    with_deadlines(Endpoint::from_static("http://member.invalid")).connect_with_connector_lazy(connect)
}

/// Connects as a node that is to be asked by the coordinator at `host` (`HOST:PORT`), whoever that is.
///
/// # Errors
/// What the system says, or why the other side is not believed.
pub async fn dial(host: &str, live: &Live, audit: Audit) -> io::Result<Breakable<TlsStream<TcpStream>, Caller>> {
    let made = dial_config(&live.credentials(), &live.trust()).map_err(io::Error::other)?;
    let stream = shaken(host, made, Some(audit)).await?;
    let (tcp, connection) = stream.get_ref();
    let from = tcp.peer_addr()?;
    let leaf = connection.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.clone().into_owned());
    let known = leaf.and_then(|leaf| Some(Arc::new((certificate::read(&leaf).ok()?, leaf))));
    let known = known.ok_or_else(|| io::Error::other("the other side showed no certificate"))?;
    let serial = known.0.serial.clone();
    Ok(Breakable::whole(stream, Caller::of(Some(known), from)).until(denied(live.clone(), serial)))
}

/// Connects once as a member and hangs up, to see whether the one that is expected serves there.
///
/// # Errors
/// What the system says, or why the other side is not believed.
pub async fn try_out(host: &str, live: &Live, expected: Expected) -> io::Result<()> {
    let made = client_config(&live.credentials(), &live.trust(), expected).map_err(io::Error::other)?;
    shaken(host, made, None).await.map(drop)
}

/// Whoever was believed in the handshake may be revoked later, and what it answers is not to be taken then.
fn breakable(stream: TlsStream<TcpStream>, live: Live) -> Breakable<TlsStream<TcpStream>, ()> {
    let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let serial = leaf.and_then(|leaf| certificate::read(leaf).ok()).map(|peer| peer.serial);
    let whole = Breakable::whole(stream, ());
    match serial {
        Some(serial) => whole.until(denied(live, serial)),
        None => whole,
    }
}

async fn shaken(
    host: &str,
    (config, slot): (Arc<ClientConfig>, RefusedSlot),
    audit: Option<Audit>,
) -> io::Result<TlsStream<TcpStream>> {
    let shaken = async {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        // Nobody is called by the name of a host: the verifier looks at the member's.
        let name = ServerName::try_from("member.invalid").map_err(io::Error::other)?;
        TlsConnector::from(config).connect(name, stream).await
    };
    let error = match tokio::time::timeout(HANDSHAKE, shaken).await {
        Ok(Ok(stream)) => return Ok(stream),
        Ok(Err(error)) => error,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let Some(refused) = slot.take() else { return Err(error) };
    if let Some(audit) = audit {
        let mut entry = Entry::new(Kind::Refused, refused.peer.as_ref(), "connect", refused.sentence.clone());
        entry.from = Some(host.to_owned());
        audit.write(entry);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))
}
