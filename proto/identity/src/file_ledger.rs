//! The ledger in a directory: one file for each token and one for its use, one list of certificates, one of those taken back.
//!
//! Invariant: that a token was used is a file that can be made once, and is on the disk before a certificate is made. A crash in between
//! costs the token, and never lets a second process in.

use crate::ledger::{Denied, Issued, Kept, Ledger, LedgerError, Redeemed, Use};
use crate::secret_file;
use crate::token::{TokenId, TokenRecord};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Certificates that are listed; past twice as many, the older half is forgotten if it is over.
const MOST_ISSUED: usize = 10_000;

/// A ledger in a directory. Several processes may use it at once.
#[derive(Debug, Clone)]
pub struct FileLedger {
    dir: PathBuf,
}

impl FileLedger {
    /// The ledger in `dir`, which is made when it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let ledger = Self { dir: dir.to_owned() };
        secret_file::make_dir(&ledger.tokens_dir()).map_err(|error| ledger.failed(&error))?;
        Ok(ledger)
    }

    fn tokens_dir(&self) -> PathBuf {
        self.dir.join("tokens")
    }

    fn token_file(&self, id: &TokenId) -> PathBuf {
        self.tokens_dir().join(format!("{id}.json"))
    }

    fn use_file(&self, id: &TokenId) -> PathBuf {
        self.tokens_dir().join(format!("{id}.used"))
    }

    fn failed(&self, error: &io::Error) -> LedgerError {
        LedgerError { place: self.dir.display().to_string(), reason: error.to_string() }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let ledger = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&ledger)).await;
        done.unwrap_or_else(|_| Err(io::Error::other("the work was given up"))).map_err(|error| self.failed(&error))
    }

    fn kept(&self, id: &TokenId) -> io::Result<Option<Kept>> {
        let Some(token) = read_json::<TokenRecord>(&self.token_file(id))? else { return Ok(None) };
        Ok(Some(Kept { token, used: read_json(&self.use_file(id))? }))
    }

    fn all_tokens(&self) -> io::Result<Vec<Kept>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.tokens_dir())? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|id| id.parse::<TokenId>().ok());
            if let Some(kept) = id.map(|id| self.kept(&id)).transpose()?.flatten() {
                all.push(kept);
            }
        }
        all.sort_by(|one, other| (one.token.created_ms, &one.token.id).cmp(&(other.token.created_ms, &other.token.id)));
        Ok(all)
    }

    /// Held while a list is changed, also against other processes.
    fn locked(&self) -> io::Result<File> {
        let lock = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(self.dir.join("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn issued_file(&self) -> PathBuf {
        self.dir.join("issued.jsonl")
    }

    fn denied_file(&self) -> PathBuf {
        self.dir.join("denied.json")
    }

    fn append_issued(&self, issued: &Issued) -> io::Result<()> {
        let _locked = self.locked()?;
        let mut all: Vec<Issued> = read_lines(&self.issued_file())?;
        if all.len() >= 2 * MOST_ISSUED {
            let old = all.len() - MOST_ISSUED;
            let mut at = 0;
            all.retain(|certificate| {
                at += 1;
                at > old || certificate.until_ms > issued.at_ms
            });
            let text: String = all.iter().map(|line| Ok(json(line)? + "\n")).collect::<io::Result<_>>()?;
            secret_file::replace(&self.issued_file(), text.as_bytes())?;
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(self.issued_file())?;
        // What a crash cut off would else spoil the next line as well.
        let whole = fs::read(self.issued_file())?.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        file.write_all((json(issued)? + "\n").as_bytes())?;
        file.sync_all()
    }

    fn add_denied(&self, denied: Denied) -> io::Result<bool> {
        let _locked = self.locked()?;
        let mut all: Vec<Denied> = read_json(&self.denied_file())?.unwrap_or_default();
        if all.iter().any(|known| known.serial == denied.serial) {
            return Ok(false);
        }
        all.push(denied);
        secret_file::replace(&self.denied_file(), json(&all)?.as_bytes()).map(|()| true)
    }
}

#[async_trait]
impl Ledger for FileLedger {
    async fn add(&self, token: TokenRecord) -> Result<(), LedgerError> {
        self.blocking(move |ledger| secret_file::create(&ledger.token_file(&token.id), json(&token)?.as_bytes())).await
    }

    async fn tokens(&self) -> Result<Vec<Kept>, LedgerError> {
        self.blocking(Self::all_tokens).await
    }

    async fn token(&self, id: &TokenId) -> Result<Option<Kept>, LedgerError> {
        let id = id.clone();
        self.blocking(move |ledger| ledger.kept(&id)).await
    }

    async fn redeem(&self, id: &TokenId, by: Use) -> Result<Redeemed, LedgerError> {
        let id = id.clone();
        let made = move |ledger: &Self| match secret_file::create(&ledger.use_file(&id), json(&by)?.as_bytes()) {
            Ok(()) => Ok(Redeemed::Now),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Redeemed::Before),
            Err(error) => Err(error),
        };
        self.blocking(made).await
    }

    async fn withdraw(&self, id: &TokenId) -> Result<bool, LedgerError> {
        let id = id.clone();
        // The mark of its use stays, so that nothing brings it back.
        let removed = move |ledger: &Self| match secret_file::remove(&ledger.token_file(&id)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        self.blocking(removed).await
    }

    async fn note(&self, issued: Issued) -> Result<(), LedgerError> {
        self.blocking(move |ledger| ledger.append_issued(&issued)).await
    }

    async fn issued(&self) -> Result<Vec<Issued>, LedgerError> {
        self.blocking(|ledger| read_lines(&ledger.issued_file())).await
    }

    async fn deny(&self, denied: Denied) -> Result<bool, LedgerError> {
        self.blocking(move |ledger| ledger.add_denied(denied)).await
    }

    async fn denied(&self) -> Result<Vec<Denied>, LedgerError> {
        self.blocking(|ledger| Ok(read_json(&ledger.denied_file())?.unwrap_or_default())).await
    }
}

fn json(value: &impl Serialize) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::other)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match secret_file::read(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| damaged(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A last line that was cut off by a crash was never answered for, and is passed over.
fn read_lines<T: DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    let text = match secret_file::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).map_err(|error| damaged(path, &error))).collect()
}

fn damaged(path: &Path, error: &serde_json::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {error}", path.display()))
}

#[cfg(test)]
mod tests;
