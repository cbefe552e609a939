//! What both sides ask of a certificate that the other one showed: an authority's signature, a name of this cluster, and that it was not
//! taken back.

use super::refused::{RefusedSlot, sentence};
use crate::certificate;
use crate::trust::Trust;
use capstan_types::principal::{Label, Peer};
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, UnixTime};

/// One look at one certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) now_ms: u64,
    pub(super) slot: &'a RefusedSlot,
}

impl<'a> Look<'a> {
    pub(super) const fn at(leaf: &'a CertificateDer<'a>, now: UnixTime, slot: &'a RefusedSlot) -> Self {
        Self { leaf, now_ms: now.as_secs().saturating_mul(1000), slot }
    }

    /// The authorities' signatures or its times speak against it.
    pub(super) fn unbelieved(self, error: Error) -> Error {
        let said = sentence(self.leaf, &error, self.now_ms);
        let told = match error {
            Error::InvalidCertificate(told) => told,
            _ => CertificateError::BadEncoding,
        };
        self.slot.refuse(self.leaf, said, told)
    }

    /// It is signed well, and of somebody else than it should be.
    pub(super) fn another(self, said: String) -> Error {
        self.slot.refuse(self.leaf, said, CertificateError::ApplicationVerificationFailure)
    }

    /// Whose it is.
    pub(super) fn name(self) -> Result<Peer, Error> {
        certificate::read(self.leaf).map_err(|error| self.another(format!("its certificate is not a member's: {error}")))
    }

    /// Passes a member of this cluster that is still believed.
    pub(super) fn member(self, peer: &Peer, cluster: &Label, trust: &Trust) -> Result<(), Error> {
        if peer.name.cluster != *cluster {
            return Err(self.another(format!("it is `{}`, of another cluster", peer.name)));
        }
        let still = trust.still(peer, self.now_ms);
        still.map_err(|why| self.slot.refuse(self.leaf, why.to_string(), CertificateError::Revoked))
    }
}
