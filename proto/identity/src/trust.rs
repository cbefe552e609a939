//! Whom a process believes: the cluster's authorities, less the certificates that were taken back.

use capstan_types::principal::{Peer, Serial};
use rustls_pki_types::CertificateDer;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whom to believe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Counts the changes of the authorities: what says more of them takes the place of what says less, and never the other way.
    pub revision: u64,
    /// The certificates of the authorities. While one takes over from another there are two.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The certificates that are not to be believed any more.
    pub denied: BTreeSet<Serial>,
    /// All of this as its authorities signed it, to be told to others; empty where it was not heard from them.
    pub proof: Arc<[u8]>,
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
    /// Takes what was said later, or at another place. A certificate that was taken back stays so; authorities change with the revision.
    /// None where it says nothing new.
    #[must_use]
    pub fn joined(&self, said: &Self) -> Option<Self> {
        let denied: BTreeSet<Serial> = self.denied.union(&said.denied).cloned().collect();
        // The proof that has most is kept for others, and for the next start.
        let all = denied.len() == said.denied.len() && said.revision >= self.revision;
        let newer = if all || said.revision > self.revision { said } else { self };
        let joined = Self { denied, ..newer.clone() };
        (joined != *self).then_some(joined)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(revision: u64, denied: &[&str]) -> Trust {
        let denied = denied.iter().map(|serial| serial.parse().unwrap()).collect();
        let proof = format!("{revision} {denied:?}").into_bytes().into();
        Trust { revision, authorities: vec![CertificateDer::from(vec![u8::try_from(revision).unwrap()])], denied, proof }
    }

    #[test]
    fn what_was_taken_back_stays_so_in_whatever_order_it_is_heard() {
        let (first, second) = (trust(1, &["a"]), trust(1, &["a", "b"]));
        assert_eq!(first.joined(&second), Some(second.clone()));
        assert_eq!(second.joined(&first), None, "an old list takes nothing back");
        let apart = second.joined(&trust(1, &["c"])).unwrap();
        assert_eq!((apart.denied.len(), &apart.proof), (3, &second.proof));
        let newer = second.joined(&trust(2, &[])).unwrap();
        assert_eq!((newer.denied.len(), newer.revision, newer.authorities), (2, 2, trust(2, &[]).authorities));
        assert_eq!(trust(2, &["a", "b"]).joined(&first), None, "an authority that went does not come back");
    }
}
