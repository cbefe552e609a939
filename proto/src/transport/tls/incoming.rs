//! The side that is connected to.

use super::super::breakable::{Break, Breakable};
use super::caller::Caller;
use super::dialed::DialedIn;
use super::{HANDSHAKE, denied};
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::certificate;
use capstan_identity::credentials::Credentials;
use capstan_identity::membership::Membership;
use capstan_identity::tls::{Callers, is_dial_out, server_config};
use capstan_types::principal::Role;
use futures_core::Stream;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Connections of members that one listener has at once. Full: the next one is closed.
const MEMBERS: usize = 8192;

/// Connections that shake hands at once. Full: the next one is closed without a word. Whoever is let in leaves its place to others, so that
/// those who only begin take none from those who are there.
const SHAKING: usize = 256;

/// Connections of strangers that came to join. Full: the next one is closed.
const STRANGERS: usize = 64;

/// How long a stranger has to join.
const STRANGERS_TIME: Duration = Duration::from_secs(30);

/// How long no connection is accepted after one could not be, such as for want of descriptors.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// A listener's connections, each with its handshake behind it.
#[derive(Debug)]
pub struct TlsIncoming {
    listener: TcpListener,
    door: Door,
    shaking_places: Arc<Semaphore>,
    shaking: JoinSet<Option<Secured>>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What a connection is let in by.
#[derive(Debug, Clone)]
struct Door {
    membership: Membership,
    callers: Callers,
    members: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    /// Where nodes go that are to be asked.
    dialed: Option<mpsc::Sender<DialedIn>>,
}

impl TlsIncoming {
    /// The connections to this listener.
    #[must_use]
    pub fn new(listener: TcpListener, membership: Membership, callers: Callers) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        let door = Door { membership, callers, members: places(MEMBERS), strangers: places(STRANGERS), dialed: None };
        Self { listener, door, shaking_places: places(SHAKING), shaking: JoinSet::new(), pause: None }
    }

    /// Nodes that dial in to be asked go here. Full: the next one is closed, and tries again.
    #[must_use]
    pub fn dialed_to(mut self, dialed: mpsc::Sender<DialedIn>) -> Self {
        self.door.dialed = Some(dialed);
        self
    }

    /// Takes in whoever waits. Ready when nobody can be taken in for a moment.
    fn accept(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, from)) => match Arc::clone(&self.shaking_places).try_acquire_owned() {
                    Ok(place) => drop(self.shaking.spawn(self.door.clone().shake(stream, from, place))),
                    Err(_) => tracing::warn!(%from, most = SHAKING, "a connection is closed: too many are being made"),
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
    async fn shake(self, stream: TcpStream, from: SocketAddr, _place: OwnedSemaphorePermit) -> Option<Secured> {
        let credentials = self.membership.live.credentials();
        let (config, slot) = server_config(&credentials, &self.membership.live.trust(), self.callers)
            .inspect_err(|error| tracing::error!(%error, "nobody can be let in"))
            .ok()?;
        let _ = stream.set_nodelay(true);
        let shaken = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await;
        let why = match shaken {
            Ok(Ok(stream)) if is_dial_out(stream.get_ref().1.alpn_protocol()) => {
                self.dialed(stream, from, credentials);
                return None;
            }
            Ok(Ok(stream)) => return self.secured(stream, from),
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

    /// A node that is to be asked. Whoever else says so is refused.
    fn dialed(self, stream: TlsStream<TcpStream>, from: SocketAddr, credentials: Arc<Credentials>) {
        let (audit, dialed) = (self.membership.audit.clone(), self.dialed.clone());
        let Some(secured) = self.secured(stream, from) else { return };
        let caller = secured.info().clone();
        let is_node = caller.peer().is_some_and(|peer| peer.name.role == Role::Node);
        let (true, Some(dialed)) = (is_node, dialed) else {
            let mut entry = Entry::new(Kind::Refused, caller.peer(), "dial", "only a node may dial in to be asked".to_owned());
            entry.from = Some(from.to_string());
            audit.write(entry);
            return;
        };
        let arrived = DialedIn { stream: Box::new(secured), known: Some((caller, credentials)) };
        if dialed.try_send(arrived).is_err() {
            tracing::warn!(%from, "a node that dials in is closed: too many come at once");
        }
    }

    fn secured(self, stream: TlsStream<TcpStream>, from: SocketAddr) -> Option<Secured> {
        let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.clone().into_owned());
        // Whoever has one was checked in the handshake.
        let known = leaf.and_then(|leaf| Some(Arc::new((certificate::read(&leaf).ok()?, leaf))));
        let (places, broken_by) = match known.as_ref().map(|known| known.0.serial.clone()) {
            Some(serial) => (self.members, denied(self.membership.live, serial)),
            None => (self.strangers, late()),
        };
        let Ok(place) = places.try_acquire_owned() else {
            let member = known.is_some();
            tracing::warn!(%from, member, "a connection is closed: there are too many");
            return None;
        };
        Some(Breakable::whole(stream, Caller::of(known, from)).holding(place).until(broken_by))
    }
}

/// Whoever came to join has done so by then, and connects again as a member.
fn late() -> Break {
    Box::pin(async {
        sleep(STRANGERS_TIME).await;
        "whoever came to join has not done so"
    })
}

/// A connection with its handshake behind it. It breaks when the certificate at its other end is taken back.
pub type Secured = Breakable<TlsStream<TcpStream>, Caller>;
