//! Who is at the other end of a connection between members, for whoever judges its requests.

use capstan_types::principal::Peer;
use rustls_pki_types::CertificateDer;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who is at the other end of a connection. Every request of it carries it.
#[derive(Debug, Clone)]
pub struct Caller {
    known: Option<Arc<(Peer, CertificateDer<'static>)>>,
    from: SocketAddr,
}

impl Caller {
    pub(super) const fn of(known: Option<Arc<(Peer, CertificateDer<'static>)>>, from: SocketAddr) -> Self {
        Self { known, from }
    }

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
