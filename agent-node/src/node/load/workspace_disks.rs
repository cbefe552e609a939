//! The disks that hold the directories in which sessions are started.
//!
//! Measured beside the host and not with it: a file system that does not answer must not keep the host's figures old. Invariant: nobody who
//! starts a session waits for a disk; a directory that is new here is not judged until it has been measured.

use super::decision::observe;
use super::sample::space;
use super::watermarks::{Marks, Watermarks};
use capstan_types::load::{Resource, Room};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How many directories are known. Full: the one that was used longest ago is forgotten.
const MOST: usize = 256;

/// How long after its last use a directory is still looked at.
const KEPT: Duration = Duration::from_secs(600);

/// What was measured of the disk that holds a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) room: Room,
    pub(super) short: bool,
}

/// The disks. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct WorkspaceDisks {
    marks: Marks,
    known: Arc<Mutex<HashMap<PathBuf, Known>>>,
    wanted: Arc<Notify>,
}

#[derive(Debug)]
struct Known {
    used: Instant,
    measured: Option<Measured>,
}

impl WorkspaceDisks {
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, known: Arc::default(), wanted: Arc::default() }
    }

    /// What was measured last of the disk that holds `dir`. From now on it is looked at.
    pub(super) fn of(&self, dir: &Path) -> Option<Measured> {
        let (now, mut known) = (Instant::now(), self.lock());
        let measured = match known.get_mut(dir) {
            Some(found) => {
                found.used = now;
                found.measured
            }
            None => {
                make_room(&mut known);
                known.insert(dir.to_owned(), Known { used: now, measured: None });
                None
            }
        };
        drop(known);
        self.wanted.notify_one();
        measured
    }

    /// The one with the least room, and whether any is short.
    pub(super) fn tightest(&self) -> Option<Measured> {
        let known = self.lock();
        let all = || known.values().filter_map(|known| known.measured);
        let tightest = all().min_by_key(|measured| measured.room.free)?;
        Some(Measured { short: all().any(|measured| measured.short), ..tightest })
    }

    /// Measures at most every `every`, and at least every `idle` while a directory is known. It does not end by itself.
    pub(super) async fn keep_measuring(&self, every: Duration, idle: Duration) {
        loop {
            let pause = if self.lock().is_empty() { Duration::MAX } else { idle };
            let _ = timeout(pause, self.wanted.notified()).await;
            let disks = self.clone();
            let _ = tokio::task::spawn_blocking(move || disks.measure()).await;
            sleep(every).await;
        }
    }

    /// It blocks for one question about each directory's file system.
    fn measure(&self) {
        let mut known = self.lock();
        known.retain(|_, known| known.used.elapsed() < KEPT);
        let dirs: Vec<PathBuf> = known.keys().cloned().collect();
        drop(known);
        for dir in dirs {
            let room = space(&dir);
            if let Some(known) = self.lock().get_mut(&dir) {
                known.measured = room.map(|room| judged(room, known.measured, &self.marks.now()));
            }
        }
    }

    #[cfg(test)]
    pub(super) fn pretend(&self, dir: &Path, room: Room) {
        let known = Known { used: Instant::now(), measured: Some(judged(room, None, &self.marks.now())) };
        self.lock().insert(dir.to_owned(), known);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Known>> {
        // Each change leaves it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judged(room: Room, before: Option<Measured>, marks: &Watermarks) -> Measured {
    const DISK: Resource = Resource::WorkspaceDisk;
    let was_short: BTreeSet<_> = before.filter(|before| before.short).map(|_| DISK).into_iter().collect();
    Measured { room, short: observe(&was_short, &[(DISK, room)].into(), marks).contains(&DISK) }
}

fn make_room(known: &mut HashMap<PathBuf, Known>) {
    if known.len() >= MOST
        && let Some(oldest) = known.iter().min_by_key(|(_, known)| known.used).map(|(dir, _)| dir.clone())
    {
        known.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_judged_once_it_has_been_measured() {
        let dir = tempfile::tempdir().unwrap();
        let disks = WorkspaceDisks::new(Marks::new(Watermarks { workspace_disk: u64::MAX, ..Watermarks::default() }));
        assert_eq!(disks.of(dir.path()), None);
        disks.measure();
        let measured = disks.of(dir.path()).unwrap();
        assert!(measured.room.free <= measured.room.total && measured.room.total > 0, "{measured:?}");
        assert_eq!(disks.tightest(), Some(measured));
        assert_eq!(disks.of(Path::new("/no/such/directory")), None);
        disks.measure();
        assert_eq!(disks.of(Path::new("/no/such/directory")), None, "what cannot be read is not judged");
    }

    #[test]
    fn what_is_short_stays_short_until_there_is_clearly_enough() {
        let marks = Watermarks { workspace_disk: 100, ..Watermarks::default() };
        let mut last = None;
        let mut short = |free| {
            last = Some(judged(Room { free, total: 10_000 }, last, &marks));
            last.is_some_and(|last| last.short)
        };
        assert_eq!([100, 99, 149, 150, 100].map(&mut short), [false, true, true, false, false]);
    }

    #[test]
    fn no_more_than_so_many_directories_are_known_and_the_oldest_goes_first() {
        let disks = WorkspaceDisks::new(Marks::new(Watermarks::default()));
        for number in 0..=MOST {
            disks.of(Path::new(&format!("/{number}")));
        }
        let known = disks.lock();
        assert_eq!(known.len(), MOST);
        assert!(!known.contains_key(Path::new("/0")) && known.contains_key(Path::new("/1")));
    }
}
