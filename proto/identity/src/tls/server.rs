//! The side that is connected to.

use super::member::Look;
use super::refused::RefusedSlot;
use super::{ALPN, DIAL_OUT, provider};
use crate::credentials::Credentials;
use crate::trust::Trust;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Members of the cluster.
    Members,
    /// Members, and whoever has no certificate: to join. What they may ask is decided for each request.
    Anybody,
}

/// The configuration for one connection, and where it leaves who was refused.
///
/// # Errors
/// No authority is believed.
pub fn server_config(
    credentials: &Credentials,
    trust: &Arc<Trust>,
    callers: Callers,
) -> Result<(Arc<ServerConfig>, RefusedSlot), Error> {
    let provider = provider();
    let slot = RefusedSlot::default();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trust.authorities.iter().cloned());
    let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain = match callers {
        Callers::Members => chain,
        Callers::Anybody => chain.allow_unauthenticated(),
    };
    let chain = chain.build().map_err(|error| Error::General(error.to_string()))?;
    let verifier =
        Members { chain, trust: Arc::clone(trust), cluster: credentials.own().name.cluster.clone(), slot: slot.clone() };
    let mut config = with_versions(provider)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(credentials.certified())));
    config.alpn_protocols = match callers {
        Callers::Members => vec![ALPN.to_vec()],
        // Coordinators serve them.
        Callers::Anybody => vec![ALPN.to_vec(), DIAL_OUT.to_vec()],
    };
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok((Arc::new(config), slot))
}

fn with_versions(provider: Arc<CryptoProvider>) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])
}

/// Believes members: an authority's signature, a name of this cluster, not taken back.
#[derive(Debug)]
struct Members {
    chain: Arc<dyn ClientCertVerifier>,
    trust: Arc<Trust>,
    cluster: capstan_types::principal::Label,
    slot: RefusedSlot,
}

impl ClientCertVerifier for Members {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let look = Look::at(leaf, now, &self.slot);
        let verified = self.chain.verify_client_cert(leaf, others, now).map_err(|error| look.unbelieved(error))?;
        look.member(&look.name()?, &self.cluster, &self.trust).map(|()| verified)
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
        self.chain.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
