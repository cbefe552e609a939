//! Who lets newcomers in: the cluster's authority with what it must remember, in one directory.

use crate::authorities::{self, Authorities, Seated};
use crate::authority::AuthorityError;
use crate::certificate::{self, CertificateError};
pub use crate::cluster_error::ClusterError;
use crate::file_ledger::FileLedger;
use crate::ledger::{Denied, Issued, Ledger, LedgerError, Redeemed, Use};
use crate::random::NoRandom;
use crate::succession::Office;
use crate::token::{JoinToken, Secret, TokenId, TokenRecord, TokenRefusal};
use crate::trust::{Distrust, Trust};
use crate::{secret_file, signed_trust};
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Label, Peer, Principal, Role};
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// How long a certificate is valid when nobody says otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);

const CLUSTER: &str = "cluster.json";

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
    /// The cluster's own files do not do.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The certificate that was made cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Theirs was taken back.
    #[error(transparent)]
    Distrusted(Distrust),
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
    #[serde(default)]
    records: Records,
}

/// Where a cluster keeps what its issuers must remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Records {
    /// In the directory of its authority, which one coordinator holds.
    #[default]
    Here,
    /// In the registry, so that several coordinators can hold the authority.
    Shared,
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
    dir: PathBuf,
    cluster: Cluster,
    authorities: RwLock<Authorities>,
    ledger: Arc<dyn Ledger>,
}

/// Makes a cluster in `dir`: its authority, and nothing else.
///
/// # Errors
/// There is one, or the files cannot be written.
pub fn init(dir: &Path, id: Label, (lifetime, records): (Duration, Records), now_ms: u64) -> Result<(), ClusterError> {
    let failed = |name: &str, error: &io::Error| file_error(&dir.join(name), error);
    secret_file::make_dir(dir).map_err(|error| file_error(dir, &error))?;
    if is_there(dir) {
        return Err(ClusterError::Exists(dir.display().to_string()));
    }
    Authorities::begin(dir, &id, now_ms)?;
    let cluster = Cluster { id, lifetime_ms: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX), records };
    let cluster = serde_json::to_string(&cluster).map_err(|error| failed(CLUSTER, &error.into()))?;
    secret_file::replace(&dir.join(CLUSTER), cluster.as_bytes()).map_err(|error| failed(CLUSTER, &error))
}

/// Whether a cluster was made in `dir`.
#[must_use]
pub fn is_there(dir: &Path) -> bool {
    dir.join(CLUSTER).exists() || dir.join(authorities::KEY).exists()
}

impl Issuer {
    /// The authority in `dir`, with its records there.
    ///
    /// # Errors
    /// There is none, its files cannot be used, or its records are elsewhere.
    pub fn open(dir: &Path) -> Result<Self, ClusterError> {
        match records(dir)? {
            Records::Here => Self::with(dir, Arc::new(FileLedger::open(dir)?)),
            Records::Shared => Err(ClusterError::Shared(dir.display().to_string())),
        }
    }

    /// The authority in `dir`, with these records.
    ///
    /// # Errors
    /// There is none, or its files cannot be used.
    pub fn with(dir: &Path, ledger: Arc<dyn Ledger>) -> Result<Self, ClusterError> {
        let cluster = cluster(dir)?;
        let lifetime = Duration::from_millis(cluster.lifetime_ms);
        let authorities = RwLock::new(Authorities::open(dir, lifetime, crate::time_now::now_ms())?);
        Ok(Self { dir: dir.to_owned(), cluster, authorities, ledger })
    }

    fn authorities(&self) -> RwLockReadGuard<'_, Authorities> {
        self.authorities.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the authorities again, if the directory has others than were read.
    fn refresh(&self, now_ms: u64) -> Result<(), ClusterError> {
        if self.authorities().outdated(&self.dir, now_ms) {
            let fresh = Authorities::open(&self.dir, self.lifetime(), now_ms)?;
            *self.authorities.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }

    /// Begins to change the authority: puts a new one beside the one that signs. Returns when it will sign, and until when the old one is
    /// believed, in milliseconds since 1970.
    ///
    /// # Errors
    /// It is being changed already, or the files cannot be written.
    pub fn rotate(&self, now_ms: u64) -> Result<(u64, u64), ClusterError> {
        self.authorities().introduce(&self.dir, &self.cluster.id, now_ms)?;
        self.refresh(now_ms)?;
        let signs = self.signs_from(now_ms);
        Ok((signs, self.signs_from(signs)))
    }

    /// The authorities that the cluster has had, the oldest first: the pin of each, when it was introduced, and its office.
    ///
    /// # Errors
    /// A certificate cannot be read.
    pub fn seats(&self, now_ms: u64) -> Result<Vec<(Digest, u64, Office)>, ClusterError> {
        let authorities = self.authorities();
        let seat = |(one, office): (&Seated, Office)| Ok((certificate::pin(&one.certificate)?, one.introduced_ms, office));
        authorities.offices(now_ms).into_iter().map(seat).collect()
    }

    /// From when on an authority signs that was introduced then, in milliseconds since 1970.
    #[must_use]
    pub fn signs_from(&self, introduced_ms: u64) -> u64 {
        let step = u64::try_from(crate::succession::step(self.lifetime()).as_millis()).unwrap_or(u64::MAX);
        introduced_ms.saturating_add(step)
    }

    /// Whether this certificate, the last of a chain, is of the authority that signs now.
    #[must_use]
    pub fn signs_as(&self, authority: &CertificateDer<'_>, now_ms: u64) -> bool {
        self.authorities().signing(now_ms).is_ok_and(|signing| signing.certificate() == authority)
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

    /// The digest of the public key of the authority that signs.
    ///
    /// # Errors
    /// Its certificate cannot be read, or none signs.
    pub fn pin(&self, now_ms: u64) -> Result<Digest, ClusterError> {
        Ok(certificate::pin(self.authorities().signing(now_ms)?.certificate())?)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// It cannot be kept.
    pub async fn token(&self, role: Role, name: Option<Label>, ttl: Duration, now_ms: u64) -> Result<JoinToken, IssueError> {
        let token = JoinToken::fresh(self.pin(now_ms)?)?;
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
        // Before the name, which is its user's own by now.
        if kept.used.is_some() {
            return Err(TokenRefusal::Used.into());
        }
        if kept.token.name.is_none() && self.lives(&name, now_ms).await? {
            return Err(TokenRefusal::Taken(name.id).into());
        }
        // Made first, so that a request that is none does not cost the token; given out only after the token is used up.
        let made = self.made(&request, &name, now_ms)?;
        match self.ledger.redeem(&token, Use { by: name, at_ms: now_ms }).await? {
            Redeemed::Now => self.noted(made, Some(token), now_ms).await,
            Redeemed::Before => Err(TokenRefusal::Used.into()),
        }
    }

    /// Whether somebody of this name has a certificate that is good.
    async fn lives(&self, name: &Principal, now_ms: u64) -> Result<bool, LedgerError> {
        let denied = self.ledger.denied().await?;
        let good = |one: &Issued| one.until_ms > now_ms && !denied.iter().any(|denied| denied.serial == one.serial);
        Ok(self.ledger.issued().await?.iter().any(|one| one.name == *name && good(one)))
    }

    /// A new certificate for whoever came with one of this cluster's that is still good.
    ///
    /// # Errors
    /// It is of another cluster or was taken back, or the request is none.
    pub async fn renew(&self, peer: &Peer, request: &[u8], now_ms: u64) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        if peer.name.cluster != self.cluster.id {
            return Err(IssueError::Foreign(peer.name.clone()));
        }
        let made = self.made(request, &peer.name, now_ms)?;
        let serial = certificate::read(&made[0])?.serial;
        let before = self.ledger.certificate(&peer.serial).await?;
        let chain = self.noted(made, before.and_then(|issued| issued.token), now_ms).await?;
        // Looked at last: whoever takes all of a member's certificates back at this moment finds the new one in the list, or is found here.
        if self.ledger.denied().await?.iter().any(|denied| denied.serial == peer.serial) {
            self.ledger.deny(Denied { serial, at_ms: now_ms }).await?;
            return Err(IssueError::Distrusted(Distrust::Denied));
        }
        Ok(chain)
    }

    /// A certificate for the process that holds the authority itself.
    ///
    /// # Errors
    /// It cannot be made or noted.
    pub async fn own(&self, name: &Principal, request: &[u8], now_ms: u64) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        let made = self.made(request, name, now_ms)?;
        self.noted(made, None, now_ms).await
    }

    /// Whom members of the cluster believe now, signed by all of its authorities; `known`, if that says the same. What is denied there stays
    /// denied, whatever became of the records.
    ///
    /// # Errors
    /// The records cannot be read.
    pub async fn trust(&self, known: &Trust, now_ms: u64) -> Result<Trust, IssueError> {
        self.refresh(now_ms)?;
        let denied = self.ledger.denied().await?.into_iter().map(|denied| denied.serial);
        let denied: BTreeSet<_> = denied.chain(known.denied.iter().cloned()).collect();
        let authorities = self.authorities();
        let believed = authorities.believed(now_ms);
        let certificates: Vec<_> = believed.iter().map(|one| one.certificate().clone()).collect();
        let revision = authorities.revision(now_ms);
        if (revision, &certificates, &denied) == (known.revision, &known.authorities, &known.denied) && !known.proof.is_empty() {
            return Ok(known.clone());
        }
        let trust = Trust { revision, authorities: certificates, denied, ..Trust::default() };
        signed_trust::sign(trust, &self.cluster.id, &believed).ok_or_else(|| ClusterError::Clock.into())
    }

    /// The certificate, and that of the authority that made it.
    fn made(&self, request: &[u8], name: &Principal, now_ms: u64) -> Result<[CertificateDer<'static>; 2], IssueError> {
        let authorities = self.authorities();
        let signing = authorities.signing(now_ms)?;
        Ok([signing.issue(request, name, now_ms, self.lifetime())?, signing.certificate().clone()])
    }

    async fn noted(
        &self,
        made: [CertificateDer<'static>; 2],
        token: Option<TokenId>,
        at_ms: u64,
    ) -> Result<Vec<CertificateDer<'static>>, IssueError> {
        let Peer { name, serial, not_after_ms, .. } = certificate::read(&made[0])?;
        self.ledger.note(Issued { serial, name, at_ms, until_ms: not_after_ms, token }).await?;
        Ok(made.into())
    }
}

fn cluster(dir: &Path) -> Result<Cluster, ClusterError> {
    if !is_there(dir) {
        return Err(ClusterError::Missing(dir.display().to_string()));
    }
    let path = dir.join(CLUSTER);
    let read = secret_file::read(&path).map_err(|error| file_error(&path, &error))?;
    serde_json::from_str(&read).map_err(|error| file_error(&path, &error.into()))
}

/// Where the cluster of the authority in `dir` keeps its records.
///
/// # Errors
/// There is none, or its files cannot be used.
pub fn records(dir: &Path) -> Result<Records, ClusterError> {
    cluster(dir).map(|cluster| cluster.records)
}

fn file_error(path: &Path, error: &io::Error) -> ClusterError {
    ClusterError::File { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests;
