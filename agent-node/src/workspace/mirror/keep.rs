//! Which mirrors are kept: one process at a time works on one, and what was not used for longest goes first.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often it is looked whether another process has finished with a mirror.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until no other process works on the mirror in `dir`, and keeps them away for as long as the answer lives.
pub(super) async fn alone(dir: &Path) -> io::Result<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let lock = File::create(dir.join("lock"))?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Notes that a mirror was used now.
pub(super) fn used(dir: &Path) {
    if let Err(error) = File::create(dir.join("used")).and_then(|file| file.set_modified(SystemTime::now())) {
        tracing::debug!(dir = %dir.display(), %error, "it could not be noted that a mirror was used");
    }
}
