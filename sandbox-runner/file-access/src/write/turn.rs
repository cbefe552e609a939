//! One writer at a time in a directory.

use crate::beneath::{Place, open_directory};
use crate::refusal::{Answer, refusal, refused};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::Why;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long a writer waits for its turn. Any session may hold the lock, and need not let go of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long until it asks again.
const PAUSE: Duration = Duration::from_millis(2);

/// A turn, for as long as it is kept.
pub(super) fn take(place: &Place, path: &FilePath) -> Answer<OwnedFd> {
    let failed = |error: io::Error| refused(path, "written", &error);
    let directory = open_directory(&*place.directory, c".").map_err(failed)?;
    let since = Instant::now();
    loop {
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(directory),
            Err(Errno::WOULDBLOCK) if since.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(Errno::WOULDBLOCK) => {
                return Err(refusal(
                    Why::Host,
                    format!("`{path}` cannot be written: somebody holds a lock on its directory; try again"),
                ));
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
}
