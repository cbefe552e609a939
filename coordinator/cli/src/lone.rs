//! One coordinator for one home: the second is refused, and the kernel lets go of the lock of a dead one.

use crate::failure::Failure;
use crate::home::Home;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

/// The longest line that is read of a lock file.
const LONGEST: u64 = 64;

/// Held as long as the coordinator lives.
#[derive(Debug)]
pub struct Lone {
    _lock: File,
}

/// Takes the home for a coordinator.
///
/// # Errors
/// Another one has it, or the file cannot be made.
pub fn claim(home: &Home) -> Result<Lone, Failure> {
    let path = home.coordinator_lock();
    let failed = |error: io::Error| Failure::bad_input(format!("the lock file {} cannot be used: {error}", path.display()));
    let mut options = OpenOptions::new();
    // Not cut short before it is ours: what is in it names the process that has it.
    let mut lock = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(home, lock)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failed)?;
    Ok(Lone { _lock: lock })
}

/// Whether a coordinator has the home now.
#[must_use]
pub fn is_claimed(home: &Home) -> bool {
    // Opened for reading and locked together with others who look: whoever claims it meanwhile may be refused, for this moment only.
    let Ok(lock) = File::open(home.coordinator_lock()) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn taken(home: &Home, lock: File) -> Failure {
    let mut text = String::new();
    let _ = lock.take(LONGEST).read_to_string(&mut text);
    let process = text.trim().parse::<u32>().map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let sentence = format!("another coordinator{process} runs on the home directory {}", home.path());
    Failure::bad_input(sentence).hint("use that one with --coordinator, stop it, or set CAPSTAN_HOME to another directory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Surroundings;
    use capstan_types::path::AbsPath;

    #[test]
    fn a_home_has_one_coordinator_and_a_dead_ones_place_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().to_str().unwrap().to_owned())].into();
        let home = Home::open(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap();
        let first = claim(&home).unwrap();
        let failure = claim(&home).unwrap_err();
        let named = format!("another coordinator (process {}) runs on the home directory", std::process::id());
        assert!(failure.sentence.starts_with(&named), "{failure:?}");
        assert!(is_claimed(&home));
        drop(first);
        assert!(!is_claimed(&home));
        assert!(claim(&home).is_ok());
    }
}
