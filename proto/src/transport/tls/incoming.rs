//! The side that is connected to.

use super::HANDSHAKE;
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::certificate;
use capstan_identity::membership::Membership;
use capstan_identity::tls::{Callers, server_config};
use capstan_types::principal::Peer;
use futures_core::Stream;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

/// Connections that one listener has at once, those that shake hands included. Full: the next one is closed without a word.
const MOST: usize = 1024;

/// How long no connection is accepted after one could not be, such as for want of descriptors.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Who is at the other end of a connection. Every request of it carries it.
#[derive(Debug, Clone)]
pub struct Caller {
    known: Option<Arc<(Peer, CertificateDer<'static>)>>,
    from: SocketAddr,
}

impl Caller {
    /// Who it is; none for somebody without a certificate.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.known.as_ref().map(|known| &known.0)
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.known.as_ref().map(|known| &known.1)
    }

    /// Where it connected from.
    #[must_use]
    pub fn from(&self) -> Option<String> {
        Some(self.from.to_string())
    }
}

/// A listener's connections, each with its handshake behind it.
#[derive(Debug)]
pub struct TlsIncoming {
    listener: TcpListener,
    door: Door,
    places: Arc<Semaphore>,
    shaking: JoinSet<Option<Secured>>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What a connection is let in by.
#[derive(Debug, Clone)]
struct Door {
    membership: Membership,
    callers: Callers,
}

impl TlsIncoming {
    /// The connections to this listener.
    #[must_use]
    pub fn new(listener: TcpListener, membership: Membership, callers: Callers) -> Self {
        let door = Door { membership, callers };
        Self { listener, door, places: Arc::new(Semaphore::new(MOST)), shaking: JoinSet::new(), pause: None }
    }

    /// Takes in whoever waits. Ready when nobody can be taken in for a moment.
    fn accept(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, from)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => drop(self.shaking.spawn(self.door.clone().shake(stream, from, place))),
                    Err(_) => tracing::warn!(%from, most = MOST, "a connection is closed: there are too many"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    self.pause = Some(Box::pin(sleep(AFTER_A_FAILURE)));
                }
            }
        }
    }
}

impl Stream for TlsIncoming {
    type Item = io::Result<Secured>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let _ = self.accept(context);
        loop {
            match self.shaking.poll_join_next(context) {
                Poll::Ready(Some(Ok(Some(secured)))) => return Poll::Ready(Some(Ok(secured))),
                Poll::Ready(Some(_)) => {}
                // An empty set has nothing to wait for; the listener wakes us.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Door {
    async fn shake(self, stream: TcpStream, from: SocketAddr, place: OwnedSemaphorePermit) -> Option<Secured> {
        let credentials = self.membership.live.credentials();
        let (config, slot) = server_config(&credentials, &self.membership.live.trust(), self.callers)
            .inspect_err(|error| tracing::error!(%error, "nobody can be let in"))
            .ok()?;
        let _ = stream.set_nodelay(true);
        let shaken = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await;
        let why = match shaken {
            Ok(Ok(stream)) => return Some(self.secured(stream, from, place)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the handshake took longer than {} s", HANDSHAKE.as_secs()),
        };
        let refused = slot.take();
        let reason = refused.as_ref().map_or(why, |refused| refused.sentence.clone());
        let peer = refused.as_ref().and_then(|refused| refused.peer.as_ref());
        let mut entry = Entry::new(Kind::Refused, peer, "connect", reason);
        entry.from = Some(from.to_string());
        self.membership.audit.write(entry);
        None
    }

    fn secured(self, stream: TlsStream<TcpStream>, from: SocketAddr, place: OwnedSemaphorePermit) -> Secured {
        let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.clone().into_owned());
        // Whoever has one was checked in the handshake.
        let known = leaf.and_then(|leaf| Some(Arc::new((certificate::read(&leaf).ok()?, leaf))));
        let serial = known.as_ref().map(|known| known.0.serial.clone());
        let live = self.membership.live;
        let denied = async move {
            match serial {
                Some(serial) => live.denied(&serial).await,
                None => std::future::pending().await,
            }
        };
        Secured { stream, caller: Caller { known, from }, denied: Box::pin(denied), _place: place }
    }
}

/// A connection with its handshake behind it. It breaks when the certificate at its other end is taken back.
pub struct Secured {
    stream: TlsStream<TcpStream>,
    caller: Caller,
    denied: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: OwnedSemaphorePermit,
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Secured {
    fn still(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.denied.as_mut().poll(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => {
                // A future that is over is not asked again.
                self.denied = Box::pin(std::future::ready(()));
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the certificate at the other end was revoked"))
            }
        }
    }
}

impl Connected for Secured {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A connection that is read is woken by this as well, so that a silent one ends too.
        self.still(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
