//! Which mirrors and prepared checkouts are kept: one process at a time works on a mirror, and what was not used for longest goes first.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
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

/// What is younger may belong to a workspace that is just being made.
const YOUNG: Duration = Duration::from_secs(3600);

/// Something that can be removed by itself.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    /// The mirror that it is, or belongs to.
    mirror: PathBuf,
    used: SystemTime,
    bytes: u64,
}

/// Removes prepared checkouts, and mirrors that have none left, those that were not used for longest first, until all of them take at most `most` bytes.
/// What `in_use` names stays, and so does what is young or just being worked on. Says how many bytes were given back.
pub(super) fn sweep(dir: &Path, aside: &Path, most: u64, in_use: &BTreeSet<PathBuf>) -> u64 {
    let mut kept: Vec<Kept> = entries(dir).into_iter().flat_map(|mirror| of_mirror(&mirror)).collect();
    kept.sort_by_key(|kept| kept.used);
    let (mut total, mut freed) = (kept.iter().map(|kept| kept.bytes).sum::<u64>(), 0);
    let now = SystemTime::now();
    for kept in kept {
        let is_young = now.duration_since(kept.used).is_ok_and(|since| since < YOUNG);
        if total <= most || is_young || in_use.contains(&kept.path) {
            continue;
        }
        match remove(&kept, aside) {
            Ok(true) => {
                total = total.saturating_sub(kept.bytes);
                freed += kept.bytes;
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(path = %kept.path.display(), %error, "a mirror could not be removed; it is tried again within the hour")
            }
        }
    }
    freed
}

fn of_mirror(mirror: &Path) -> Vec<Kept> {
    let used = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut seen = BTreeSet::new();
    let own = Kept {
        path: mirror.to_owned(),
        mirror: mirror.to_owned(),
        used: used(&mirror.join("used")),
        bytes: size(&mirror.join("objects"), &mut seen),
    };
    let bases = entries(&mirror.join("bases")).into_iter().map(|path| {
        let bytes = size(&path, &mut seen);
        Kept { used: used(&path), mirror: mirror.to_owned(), bytes, path }
    });
    bases.chain([own]).collect()
}

/// How many bytes lie below a directory that were not `seen` under another name.
fn size(dir: &Path, seen: &mut BTreeSet<(u64, u64)>) -> u64 {
    let (mut bytes, mut dirs) = (0, vec![dir.to_owned()]);
    while let Some(at) = dirs.pop() {
        for path in entries(&at) {
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.is_dir() {
                dirs.push(path);
            }
            if found.nlink() < 2 || found.is_dir() || seen.insert((found.dev(), found.ino())) {
                bytes += found.blocks() * 512;
            }
        }
    }
    bytes
}

/// Whether it was removed: a mirror with checkouts stays, and so does one that somebody works on.
fn remove(kept: &Kept, aside: &Path) -> io::Result<bool> {
    let lock = File::open(kept.mirror.join("lock"))?;
    if lock.try_lock().is_err() || (kept.path == kept.mirror && !entries(&kept.mirror.join("bases")).is_empty()) {
        return Ok(false);
    }
    // Away at once: what is cut off here is among the scratch files.
    let gone = super::Aside::make(aside)?;
    fs::rename(&kept.path, gone.0.join("gone"))?;
    Ok(true)
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_what_is_used_or_young_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mirrors = dir.path().join("mirrors");
        let place = |name: &str| mirrors.join(name);
        let aged = |path: &Path, hours: u64| {
            File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        };
        for (mirror, hours) in [("a", 50), ("b", 40), ("c", 0)] {
            fs::create_dir_all(place(mirror).join("objects")).unwrap();
            fs::create_dir_all(place(mirror).join("bases/x")).unwrap();
            fs::create_dir_all(place(mirror).join("bases/y")).unwrap();
            for file in ["objects/pack", "bases/x/file", "bases/y/file"] {
                fs::write(place(mirror).join(file), vec![1; 100_000]).unwrap();
            }
            fs::write(place(mirror).join("lock"), "").unwrap();
            fs::write(place(mirror).join("used"), "").unwrap();
            for name in ["used", "bases/x", "bases/y"] {
                aged(&place(mirror).join(name), hours);
            }
        }
        let in_use: BTreeSet<PathBuf> = [place("a/bases/x")].into();
        let swept = |most| sweep(&mirrors, dir.path(), most, &in_use);
        assert_eq!(swept(u64::MAX), 0);
        assert!(swept(700_000) >= 200_000);
        let there = |name: &str| place(name).exists();
        assert!(there("a/bases/x") && !there("a/bases/y") && there("a/objects") && there("c/bases/y"));
        let held = File::open(place("b/lock")).unwrap();
        held.lock().unwrap();
        let before = there("b/bases/x");
        assert_eq!((swept(0), there("b/bases/x")), (0, before), "somebody works on it");
        drop(held);
        swept(0);
        assert!(!there("b") && there("a/bases/x") && there("a/objects") && there("c/objects"));
    }
}
