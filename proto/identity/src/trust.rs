//! Whom a process believes: the cluster's authorities, less the certificates that were taken back.

use capstan_types::principal::{Peer, Serial};
use rustls_pki_types::CertificateDer;
use std::collections::BTreeSet;

/// Whom to believe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The certificates of the authorities. While one takes over from another there are two.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The certificates that are not to be believed any more.
    pub denied: BTreeSet<Serial>,
}

/// Why a process is not believed though an authority vouched for it. For operators, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// An operator took the certificate back.
    #[error("its certificate was revoked; if that was a mistake, have it join again with a new token")]
    Denied,
    /// It was not renewed in time.
    #[error("its certificate has expired; have it join again with a new token, or set its clock")]
    Expired,
}

impl Trust {
    /// Whether whoever came with this certificate may go on asking.
    ///
    /// # Errors
    /// Why not.
    pub fn still(&self, peer: &Peer, now_ms: u64) -> Result<(), Distrust> {
        if self.denied.contains(&peer.serial) {
            return Err(Distrust::Denied);
        }
        if now_ms >= peer.not_after_ms { Err(Distrust::Expired) } else { Ok(()) }
    }
}
