//! The authorities of a cluster in its directory: the one that was made with it, and those that took over since.
//!
//! The first one is `ca.key` and `ca.pem`; the n-th is `ca-N.key` and `ca-N.pem`. `authorities.json` says since when each is known. The key
//! of one that nobody believes any more is removed: whoever found it could lead on those who were away.

use crate::authority::{self, Authority};
use crate::cluster_error::ClusterError;
use crate::request::PrivateKey;
use crate::succession::{Office, offices};
use crate::{pem_text, secret_file};
use capstan_types::principal::Label;
use rustls_pki_types::CertificateDer;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The key of the first one, with which a cluster begins.
pub(crate) const KEY: &str = "ca.key";
const CERTIFICATES: &str = "ca.pem";
const INTRODUCED: &str = "authorities.json";

/// One of them.
#[derive(Debug)]
pub struct Seated {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// Since when it is known, in milliseconds since 1970; 0 for the first one.
    pub introduced_ms: u64,
    /// Itself; none for one that is gone.
    authority: Option<Authority>,
}

/// All of them, the oldest first, as the directory had them.
#[derive(Debug)]
pub struct Authorities {
    lifetime: Duration,
    all: Vec<Seated>,
}

impl Authorities {
    /// Reads them.
    ///
    /// # Errors
    /// A file is missing or cannot be used.
    pub(crate) fn open(dir: &Path, lifetime: Duration, now_ms: u64) -> Result<Self, ClusterError> {
        let introduced = introduced(dir)?;
        let offices = offices(&introduced, lifetime, now_ms);
        let all = introduced.iter().zip(offices).enumerate().map(|(at, (introduced_ms, office))| {
            let (key, certificate) = files(dir, at);
            let text = secret_file::read(&certificate).map_err(|error| failed(&certificate, &error))?;
            let read = pem_text::read_certificates(&text).and_then(|all| all.into_iter().next());
            let found = read.ok_or_else(|| failed(&certificate, &io::Error::other("it holds no certificate")))?;
            let authority = match office {
                Office::Gone => {
                    let _ = secret_file::remove(&key);
                    None
                }
                Office::Coming(_) | Office::Signing | Office::Going(_) => {
                    let text = secret_file::read(&key).map_err(|error| failed(&key, &error))?;
                    Some(Authority::new(&PrivateKey::of_pem(text), found.clone())?)
                }
            };
            Ok(Seated { certificate: found, introduced_ms: *introduced_ms, authority })
        });
        Ok(Self { lifetime, all: all.collect::<Result<_, ClusterError>>()? })
    }

    /// Makes the first one of a cluster.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn begin(dir: &Path, cluster: &Label, now_ms: u64) -> Result<(), ClusterError> {
        made(dir, 0, cluster, now_ms)
    }

    /// Puts a new one beside the one that signs, which will take over from it.
    ///
    /// # Errors
    /// The change before is not over, or a file cannot be written.
    pub(crate) fn introduce(&self, dir: &Path, cluster: &Label, now_ms: u64) -> Result<(), ClusterError> {
        if self.offices(now_ms).iter().any(|(_, office)| matches!(office, Office::Coming(_) | Office::Going(_))) {
            return Err(ClusterError::Changing);
        }
        made(dir, self.all.len(), cluster, now_ms)?;
        let times: Vec<u64> = self.all.iter().map(|one| one.introduced_ms).chain([now_ms]).collect();
        let text = serde_json::to_string(&times).map_err(|error| failed(&dir.join(INTRODUCED), &error.into()))?;
        secret_file::replace(&dir.join(INTRODUCED), text.as_bytes()).map_err(|error| failed(&dir.join(INTRODUCED), &error))
    }

    /// Whether the directory has others than these, or one of these is over.
    pub(crate) fn outdated(&self, dir: &Path, now_ms: u64) -> bool {
        let over = |(one, office): &(&Seated, Office)| *office == Office::Gone && one.authority.is_some();
        introduced(dir).is_ok_and(|introduced| introduced.len() != self.all.len()) || self.offices(now_ms).iter().any(over)
    }

    /// Counts the changes of those that are believed.
    pub(crate) fn revision(&self, now_ms: u64) -> u64 {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let gone = self.offices(now_ms).iter().filter(|(_, office)| *office == Office::Gone).count();
        count(self.all.len()).saturating_add(count(gone))
    }

    /// Each with its office.
    #[must_use]
    pub fn offices(&self, now_ms: u64) -> Vec<(&Seated, Office)> {
        let introduced: Vec<u64> = self.all.iter().map(|one| one.introduced_ms).collect();
        self.all.iter().zip(offices(&introduced, self.lifetime, now_ms)).collect()
    }

    /// The one that signs.
    pub(crate) fn signing(&self, now_ms: u64) -> Result<&Authority, ClusterError> {
        let signing = self.offices(now_ms).into_iter().find(|(_, office)| *office == Office::Signing);
        signing.and_then(|(one, _)| one.authority.as_ref()).ok_or(ClusterError::Clock)
    }

    /// Those that are believed, and can say so.
    pub(crate) fn believed(&self, now_ms: u64) -> Vec<&Authority> {
        let believed = self.offices(now_ms).into_iter().filter(|(_, office)| *office != Office::Gone);
        believed.filter_map(|(one, _)| one.authority.as_ref()).collect()
    }
}

/// The files of the one at this place: its key, and its certificate.
fn files(dir: &Path, at: usize) -> (PathBuf, PathBuf) {
    match at {
        0 => (dir.join(KEY), dir.join(CERTIFICATES)),
        at => (dir.join(format!("ca-{}.key", at + 1)), dir.join(format!("ca-{}.pem", at + 1))),
    }
}

fn made(dir: &Path, at: usize, cluster: &Label, now_ms: u64) -> Result<(), ClusterError> {
    let (key_file, certificate_file) = files(dir, at);
    let (key, certificate) = authority::make(cluster, now_ms)?;
    // The key is the first file, and made once, so that of two who begin one goes on.
    match secret_file::create(&key_file, key.reveal().as_bytes()) {
        // Of a change that was cut off before it was known, and by nobody else: a change takes far longer than this.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && at > 0 => {
            secret_file::replace(&key_file, key.reveal().as_bytes()).map_err(|error| failed(&key_file, &error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(ClusterError::Exists(dir.display().to_string()));
        }
        made => made.map_err(|error| failed(&key_file, &error))?,
    }
    let text = pem_text::certificates(&[certificate]);
    secret_file::replace(&certificate_file, text.as_bytes()).map_err(|error| failed(&certificate_file, &error))
}

fn introduced(dir: &Path) -> Result<Vec<u64>, ClusterError> {
    let path = dir.join(INTRODUCED);
    match secret_file::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![0]),
        Err(error) => Err(failed(&path, &error)),
        Ok(text) => {
            let times: Vec<u64> = serde_json::from_str(&text).map_err(|error| failed(&path, &error.into()))?;
            if times.is_empty() { Err(failed(&path, &io::Error::other("it names none"))) } else { Ok(times) }
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> ClusterError {
    ClusterError::File { path: path.display().to_string(), reason: error.to_string() }
}
