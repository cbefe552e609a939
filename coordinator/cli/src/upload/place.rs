//! What is kept of one repository's uploads: a directory of the home.

use crate::failure::Failure;
use crate::home::Home;
use crate::local_git::Repository;
use capstan_types::path::AbsPath;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most repositories of which something is kept. Full: what was not used for the longest time is removed.
const MOST: usize = 32;

/// The directory, held so that nobody else uploads the same repository at the same moment.
#[derive(Debug)]
pub struct Place {
    dir: AbsPath,
    _lock: File,
}

impl Place {
    /// That of a repository.
    ///
    /// # Errors
    /// It cannot be made, or another upload of the repository goes on.
    pub fn of(home: &Home, repository: &Repository) -> Result<Self, Failure> {
        let all = home.uploads();
        // The same repository at another place is another one: what was seen of files counts for these alone.
        let name = format!("{:016x}", fnv(repository.top.as_os_str().as_encoded_bytes()));
        let dir = all.join(&name);
        let failed = |error: io::Error| Failure::failed(format!("{} cannot be used: {error}", dir.display()));
        for part in [all.clone(), dir.clone(), dir.join("packs"), dir.join("new"), dir.join("seen")] {
            DirBuilder::new().recursive(true).mode(0o700).create(part).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(true).mode(0o600).open(dir.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let sentence = format!("another upload of {} goes on", repository.top.display());
                return Err(Failure::failed(sentence).hint("wait for its end"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        forget_the_oldest(&all, &name);
        let dir = AbsPath::new(&dir).map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Something in it.
    ///
    /// # Errors
    /// Never for the names that are used here.
    pub fn path(&self, name: &str) -> Result<AbsPath, Failure> {
        self.dir.join(name).map_err(Failure::failed)
    }

    /// The file of a pack.
    #[must_use]
    pub fn pack(&self, name: &str) -> PathBuf {
        self.dir.as_path().join("packs").join(format!("{name}.pack"))
    }

    /// Removes what is not kept, so that everything is sent anew the next time.
    pub fn empty(&self) {
        for part in ["packs", "new", "seen"] {
            let dir = self.dir.as_path().join(part);
            // What stays is of no harm: each pack is known by what is in it.
            let _ = fs::remove_dir_all(&dir);
            let _ = DirBuilder::new().mode(0o700).create(&dir);
        }
    }
}

/// Removes what was used last the longest time ago, of too many.
fn forget_the_oldest(all: &Path, own: &str) {
    let used = |path: &Path| fs::metadata(path.join("lock")).and_then(|found| found.modified()).ok();
    let entries = fs::read_dir(all).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut others: Vec<_> = entries.filter(|path| !path.ends_with(own)).map(|path| (used(&path), path)).collect();
    others.sort_unstable();
    let excess = (others.len() + 1).saturating_sub(MOST);
    for (_, path) in others.into_iter().take(excess) {
        let is_free = File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_free && let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "what was kept of an upload could not be removed; it is tried again");
        }
    }
}

/// A short name for a path, for people who look into the directory; two paths with the same one would only send more than they need to.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
