//! The side that connects.

use super::member::Look;
use super::refused::{RefusedSlot, another};
use super::{ALPN, DIAL_OUT, provider};
use crate::certificate;
use crate::credentials::Credentials;
use crate::trust::Trust;
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Label, Role};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Who must be at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// What it must be.
    pub role: Role,
    /// Which; any of that role if not said.
    pub id: Option<Label>,
}

impl Expected {
    fn told(&self) -> String {
        match &self.id {
            Some(id) => format!("the {} `{id}`", self.role),
            None => format!("a {}", self.role),
        }
    }
}

/// The configuration for one connection of a member's, and where it leaves who was refused.
///
/// # Errors
/// The library takes none of it.
pub fn client_config(
    credentials: &Credentials,
    trust: &Arc<Trust>,
    expected: Expected,
) -> Result<(Arc<ClientConfig>, RefusedSlot), Error> {
    member_config(credentials, trust, expected, ALPN)
}

/// The configuration for one connection on which a node is to be asked, and where it leaves who was refused.
///
/// # Errors
/// The library takes none of it.
pub fn dial_config(credentials: &Credentials, trust: &Arc<Trust>) -> Result<(Arc<ClientConfig>, RefusedSlot), Error> {
    member_config(credentials, trust, Expected { role: Role::Coordinator, id: None }, DIAL_OUT)
}

fn member_config(
    credentials: &Credentials,
    trust: &Arc<Trust>,
    expected: Expected,
    protocol: &[u8],
) -> Result<(Arc<ClientConfig>, RefusedSlot), Error> {
    let provider = provider();
    let slot = RefusedSlot::default();
    let cluster = credentials.own().name.cluster.clone();
    let belief = Belief::Member { trust: Arc::clone(trust), cluster };
    let verifier = Servers { provider: Arc::clone(&provider), belief, expected, slot: slot.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(credentials.certified())));
    Ok((settled(config, protocol), slot))
}

/// The configuration for one connection of somebody who is no member yet: to a coordinator of the authority with this public key.
///
/// # Errors
/// The library takes none of it.
pub fn pinned_config(pin: Digest) -> Result<(Arc<ClientConfig>, RefusedSlot), Error> {
    let provider = provider();
    let slot = RefusedSlot::default();
    let expected = Expected { role: Role::Coordinator, id: None };
    let verifier = Servers { provider: Arc::clone(&provider), belief: Belief::Pin(pin), expected, slot: slot.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok((settled(config, ALPN), slot))
}

fn settled(mut config: ClientConfig, protocol: &[u8]) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![protocol.to_vec()];
    config.resumption = Resumption::disabled();
    // Nobody is called by the name of a host.
    config.enable_sni = false;
    Arc::new(config)
}

/// What makes a certificate worth looking at.
#[derive(Debug)]
enum Belief {
    /// It is of our cluster.
    Member { trust: Arc<Trust>, cluster: Label },
    /// It was made by the authority with this public key, which is sent with it.
    Pin(Digest),
}

#[derive(Debug)]
struct Servers {
    provider: Arc<CryptoProvider>,
    belief: Belief,
    expected: Expected,
    slot: RefusedSlot,
}

impl Servers {
    /// The authorities that may have signed.
    fn roots(&self, leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        match &self.belief {
            Belief::Member { trust, .. } => {
                roots.add_parsable_certificates(trust.authorities.iter().cloned());
            }
            Belief::Pin(pin) => {
                let pinned = others.iter().filter(|other| certificate::pin(other).is_ok_and(|found| found == *pin));
                roots.add_parsable_certificates(pinned.map(|other| other.clone().into_owned()));
                if roots.is_empty() {
                    let said = "its authority is not the one that the join token names; the address is wrong, the token is of another cluster, or somebody stands between";
                    return Err(self.slot.refuse(leaf, said.to_owned(), CertificateError::UnknownIssuer));
                }
            }
        }
        Ok(roots)
    }
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let look = Look::at(leaf, now, &self.slot);
        let roots = self.roots(leaf, others)?;
        let parsed = ParsedCertificate::try_from(leaf)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, others, now, algorithms)
            .map_err(|error| look.unbelieved(error))?;
        let peer = look.name()?;
        if let Belief::Member { trust, cluster } = &self.belief {
            look.member(&peer, cluster, trust)?;
        }
        let right_id = self.expected.id.as_ref().is_none_or(|id| *id == peer.name.id);
        if peer.name.role != self.expected.role || !right_id {
            return Err(look.another(another(&peer.name, &self.expected.told())));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Not offered.
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
