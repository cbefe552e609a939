//! What a process holds to prove who it is: its key and certificates, in one file, so that they always belong together; and in files
//! beside it whom it believes and where it joined.

use crate::request::PrivateKey;
use crate::trust::Trust;
use crate::{certificate, pem_text, secret_file, signed_trust};
use capstan_types::principal::Peer;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const IDENTITY: &str = "identity.pem";
const TRUST: &str = "trust.pem";
const ISSUER: &str = "issuer";

/// What the file with the trust is marked with.
const TRUST_TAG: &str = "CAPSTAN TRUST";

/// A process's credentials cannot be used. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be used.
    #[error("the identity in {place} cannot be used: {reason}; remove that directory and join again with a new token")]
    File {
        /// The directory.
        place: String,
        /// Why.
        reason: String,
    },
    /// The key and the certificates do not make an identity.
    #[error("the key and the certificate do not belong together, or are not of a cluster")]
    Mismatch,
}

/// A key with the certificates that vouch for it.
#[derive(Clone)]
pub struct Credentials {
    own: Peer,
    key: PrivateKey,
    certified: Arc<CertifiedKey>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("own", &self.own).finish_non_exhaustive()
    }
}

impl Credentials {
    /// This key, with its certificate first and its authority's behind it.
    ///
    /// # Errors
    /// They do not belong together.
    pub fn new(key: PrivateKey, chain: Vec<CertificateDer<'static>>) -> Result<Self, CredentialsError> {
        let own = chain.first().and_then(|leaf| certificate::read(leaf).ok()).ok_or(CredentialsError::Mismatch)?;
        let der = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| CredentialsError::Mismatch)?;
        let signing = any_supported_type(&der).map_err(|_| CredentialsError::Mismatch)?;
        let certified = CertifiedKey::new(chain, signing);
        certified.keys_match().map_err(|_| CredentialsError::Mismatch)?;
        Ok(Self { own, key, certified: Arc::new(certified) })
    }

    /// What its certificate says.
    #[must_use]
    pub const fn own(&self) -> &Peer {
        &self.own
    }

    /// Its certificates, its own first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// Both, as TLS and grants want them.
    #[must_use]
    pub fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

/// The directory in which a process keeps its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityDir(PathBuf);

impl IdentityDir {
    /// The identity in this directory, which need not be there.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether there is an identity.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.join(IDENTITY).exists()
    }

    /// Reads the credentials.
    ///
    /// # Errors
    /// They are missing, can be read by others, or make no sense.
    pub fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let text = self.read(IDENTITY)?;
        let chain = pem_text::read_certificates(&text).ok_or(CredentialsError::Mismatch)?;
        let key = text.split_once("-----BEGIN CERTIFICATE").map_or(text.as_str(), |(key, _)| key).to_owned();
        Credentials::new(PrivateKey::of_pem(key), chain).map_err(|error| self.failed(error))
    }

    /// Keeps new credentials in the place of those before.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn keep(&self, credentials: &Credentials) -> Result<(), CredentialsError> {
        let text = format!("{}\n{}", credentials.key.reveal().trim_end(), pem_text::certificates(credentials.chain()));
        self.write(IDENTITY, &text)
    }

    /// Whom the process believes, as it last heard.
    ///
    /// # Errors
    /// That is missing or makes no sense.
    pub fn trust(&self) -> Result<Trust, CredentialsError> {
        let proof = pem_text::read_one(TRUST_TAG, &self.read(TRUST)?);
        proof.and_then(|proof| signed_trust::kept(&proof)).ok_or_else(|| self.failed(format!("{TRUST}: it is damaged")))
    }

    /// Keeps whom to believe.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn believe(&self, trust: &Trust) -> Result<(), CredentialsError> {
        self.write(TRUST, &pem_text::one(TRUST_TAG, &trust.proof))
    }

    /// Where it joined, and where else it may renew its certificate, as `HOST:PORT`.
    ///
    /// # Errors
    /// That is missing.
    pub fn issuers(&self) -> Result<Vec<String>, CredentialsError> {
        let all: Vec<String> = self.read(ISSUER)?.split_whitespace().map(str::to_owned).collect();
        if all.is_empty() { Err(self.failed(format!("{ISSUER}: it names nobody"))) } else { Ok(all) }
    }

    /// Keeps where it joined.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn joined_at(&self, issuers: &[String]) -> Result<(), CredentialsError> {
        self.write(ISSUER, &issuers.join("\n"))
    }

    fn read(&self, name: &str) -> Result<String, CredentialsError> {
        secret_file::read(&self.0.join(name)).map_err(|error| self.failed(format!("{name}: {error}")))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), CredentialsError> {
        let written: io::Result<()> =
            secret_file::make_dir(&self.0).and_then(|()| secret_file::replace(&self.0.join(name), text.as_bytes()));
        written.map_err(|error| self.failed(format!("{name}: {error}")))
    }

    fn failed(&self, reason: impl ToString) -> CredentialsError {
        CredentialsError::File { place: self.0.display().to_string(), reason: reason.to_string() }
    }
}
