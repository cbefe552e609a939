//! Who lets newcomers in: the cluster's authority with what it must remember, in one directory.

use crate::authority::{self, Authority, AuthorityError};
use crate::certificate::{self, CertificateError};
use crate::file_ledger::FileLedger;
use crate::ledger::{Issued, Ledger, LedgerError, Redeemed, Use};
use crate::request::PrivateKey;
use crate::token::{JoinToken, NoRandom, Secret, TokenId, TokenRecord, TokenRefusal};
use crate::trust::Trust;
use crate::{pem_text, secret_file};
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Label, Peer, Principal, Role};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a certificate is valid when nobody says otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);

const KEY: &str = "ca.key";
const CERTIFICATES: &str = "ca.pem";
const CLUSTER: &str = "cluster.json";

/// The cluster's directory cannot be used. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is a cluster already.
    #[error("there is a cluster in {0} already; its authority would be lost with every certificate that it made")]
    Exists(String),
    /// There is none.
    #[error("there is no cluster in {0}; make one with `capstan cluster init`, or name its directory with --cluster")]
    Missing(String),
    /// A file cannot be used.
    #[error("the cluster's file {path} cannot be used: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The authority cannot be made or used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The records cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Why somebody is given no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The token does not let them in. For them.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// Something is wrong here. For the operator.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was sent is no request, or no certificate could be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The certificate that was made cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No token could be made.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// They are of another cluster.
    #[error("`{0}` is not of this cluster")]
    Foreign(Principal),
}

/// What a cluster is called, and how long its certificates live.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cluster {
    id: Label,
    lifetime_ms: u64,
}

/// Somebody who wants in.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Which token they have.
    pub token: TokenId,
    /// What they know of it.
    pub secret: Secret,
    /// What they want to be.
    pub role: Role,
    /// What they want to be called.
    pub name: Label,
    /// Their certificate request, in DER.
    pub request: Vec<u8>,
}

/// The authority at work.
#[derive(Debug)]
pub struct Issuer {
    cluster: Cluster,
    authority: Authority,
    /// The signing one first, and others that are still believed.
    authorities: Vec<CertificateDer<'static>>,
    ledger: Arc<dyn Ledger>,
}

/// Makes a cluster in `dir`: its authority, and nothing else.
///
/// # Errors
/// There is one, or the files cannot be written.
pub fn init(dir: &Path, id: Label, lifetime: Duration, now_ms: u64) -> Result<(), ClusterError> {
    let failed = |name: &str, error: &io::Error| file_error(&dir.join(name), error);
    secret_file::make_dir(dir).map_err(|error| file_error(dir, &error))?;
    let (key, certificate) = authority::make(&id, now_ms)?;
    // The key is the first file, and made once, so that of two who begin one goes on.
    secret_file::create(&dir.join(KEY), key.reveal().as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ClusterError::Exists(dir.display().to_string()),
        _ => failed(KEY, &error),
    })?;
    let certificates = pem_text::certificates(&[certificate]);
    secret_file::replace(&dir.join(CERTIFICATES), certificates.as_bytes()).map_err(|error| failed(CERTIFICATES, &error))?;
    let cluster = Cluster { id, lifetime_ms: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX) };
    let cluster = serde_json::to_string(&cluster).map_err(|error| failed(CLUSTER, &error.into()))?;
    secret_file::replace(&dir.join(CLUSTER), cluster.as_bytes()).map_err(|error| failed(CLUSTER, &error))
}

/// Whether a cluster was made in `dir`.
#[must_use]
pub fn is_there(dir: &Path) -> bool {
    dir.join(KEY).exists()
}

impl Issuer {
    /// The authority in `dir`.
    ///
    /// # Errors
    /// There is none, or its files cannot be used.
    pub fn open(dir: &Path) -> Result<Self, ClusterError> {
        if !is_there(dir) {
            return Err(ClusterError::Missing(dir.display().to_string()));
        }
        let read = |name: &str| secret_file::read(&dir.join(name)).map_err(|error| file_error(&dir.join(name), &error));
        let cluster: Cluster =
            serde_json::from_str(&read(CLUSTER)?).map_err(|error| file_error(&dir.join(CLUSTER), &error.into()))?;
        let authorities = pem_text::read_certificates(&read(CERTIFICATES)?)
            .ok_or_else(|| file_error(&dir.join(CERTIFICATES), &io::Error::other("it holds no certificate")))?;
        let signing = authorities.first().cloned().ok_or(CertificateError::Syntax)?;
        let authority = Authority::new(&PrivateKey::of_pem(read(KEY)?), signing)?;
        Ok(Self { cluster, authority, authorities, ledger: Arc::new(FileLedger::open(dir)?) })
    }

    /// The cluster's name.
    #[must_use]
    pub const fn cluster(&self) -> &Label {
        &self.cluster.id
    }

    /// How long its certificates are valid.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        Duration::from_millis(self.cluster.lifetime_ms)
    }

    /// What it remembers.
    #[must_use]
    pub fn ledger(&self) -> &dyn Ledger {
        self.ledger.as_ref()
    }

    /// The digest of the authority's public key.
    ///
    /// # Errors
    /// Its certificate cannot be read.
    pub fn pin(&self) -> Result<Digest, CertificateError> {
        certificate::pin(self.authority.certificate())
    }

    /// Makes a token.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn token(&self, role: Role, name: Option<Label>, ttl: Duration, now_ms: u64) -> Result<JoinToken, IssueError> {
        let token = JoinToken::fresh(self.pin()?)?;
        let expires_ms = now_ms.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
        let (id, secret) = (token.id.clone(), token.secret.digest());
        self.ledger.add(TokenRecord { id, secret, role, name, created_ms: now_ms, expires_ms }).await?;
        Ok(token)
    }

    /// Lets a newcomer in: its certificate, and the authority's behind it.
    ///
    /// # Errors
    /// The token does not let it in, or was used up by somebody before.
    pub async fn join(&self, newcomer: Newcomer, now_ms: u64) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        let Newcomer { token, secret, role, name, request } = newcomer;
        let kept = self.ledger.token(&token).await?.ok_or(TokenRefusal::Unknown)?;
        // Before its use is looked at, so that whoever does not hold the secret learns nothing of it.
        kept.token.check(&secret, role, &name, now_ms)?;
        let name = Principal { cluster: self.cluster.id.clone(), role, id: name };
        // Made first, so that a request that is none does not cost the token; given out only after the token is used up.
        let made = self.authority.issue(&request, &name, now_ms, self.lifetime())?;
        match self.ledger.redeem(&token, Use { by: name, at_ms: now_ms }).await? {
            Redeemed::Now => self.noted(made, Some(token), now_ms).await,
            Redeemed::Before => Err(TokenRefusal::Used.into()),
        }
    }

    /// A new certificate for whoever came with one of this cluster's that is still good.
    ///
    /// # Errors
    /// It is of another cluster, or the request is none.
    pub async fn renew(&self, peer: &Peer, request: &[u8], now_ms: u64) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        if peer.name.cluster != self.cluster.id {
            return Err(IssueError::Foreign(peer.name.clone()));
        }
        let made = self.authority.issue(request, &peer.name, now_ms, self.lifetime())?;
        let before = self.ledger.issued().await?.into_iter().rfind(|issued| issued.serial == peer.serial);
        self.noted(made, before.and_then(|issued| issued.token), now_ms).await
    }

    /// A certificate for the process that holds the authority itself.
    ///
    /// # Errors
    /// It cannot be made or noted.
    pub async fn own(&self, name: &Principal, request: &[u8], now_ms: u64) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        let made = self.authority.issue(request, name, now_ms, self.lifetime())?;
        self.noted(made, None, now_ms).await
    }

    /// Whom members of the cluster believe now.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn trust(&self) -> Result<Trust, LedgerError> {
        let denied = self.ledger.denied().await?.into_iter().map(|denied| denied.serial).collect();
        Ok(Trust { authorities: self.authorities.clone(), denied })
    }

    async fn noted(
        &self,
        made: CertificateDer<'static>,
        token: Option<TokenId>,
        at_ms: u64,
    ) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        let Peer { name, serial, not_after_ms, .. } = certificate::read(&made)?;
        self.ledger.note(Issued { serial, name, at_ms, until_ms: not_after_ms, token }).await?;
        Ok(vec![made, self.authority.certificate().clone()])
    }
}

fn file_error(path: &Path, error: &io::Error) -> ClusterError {
    ClusterError::File { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
