use super::*;
use capstan_types::load::Room;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use tokio::task::JoinSet;

const PLENTY: Room = Room { free: 1 << 40, total: 1 << 41 };
const FULL: Room = Room { free: 0, total: 1 << 41 };

/// The longest that a measurement may be waited for.
const SOON: Duration = Duration::from_secs(20);

fn disk(room: Room) -> Rooms {
    [(Resource::Disk, room)].into()
}

fn ballast() -> (tempfile::TempDir, Ballast) {
    let dir = tempfile::tempdir().unwrap();
    let ballast = Ballast::in_dir(dir.path());
    (dir, ballast)
}

fn work() -> AbsPath {
    AbsPath::new("/no/such/workspace").unwrap()
}

#[tokio::test]
async fn a_start_waits_for_no_measurement_and_the_next_one_knows_what_it_found() {
    let (_dir, ballast) = ballast();
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let (go, may_go) = mpsc::channel::<()>();
    let may_go = Mutex::new(may_go);
    let count = AtomicU32::new(0);
    // The first measurement is the one of `new`; each later one finds the disk full, and hangs until it is let go.
    let gate = Gate::measuring(Watermarks::default(), ballast, move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => disk(PLENTY),
        _ => {
            let _ = begun.send(());
            let _ = may_go.lock().unwrap().recv();
            disk(FULL)
        }
    });
    let mut measured = gate.inner.measured.subscribe();
    let mut measuring = JoinSet::new();
    measuring.spawn(gate.clone().keep_measuring());
    assert_eq!(gate.admit(&work()), Ok(()));
    timeout(SOON, begins.recv()).await.unwrap().unwrap();
    for _ in 0..1000 {
        // No `await` stands here: what cannot wait is not kept waiting.
        assert_eq!(gate.admit(&work()), Ok(()), "while a measurement hangs");
    }
    drop(go);
    timeout(SOON, measured.changed()).await.unwrap().unwrap();
    let (short, retry_after) = gate.admit(&work()).unwrap_err();
    assert_eq!(short.resource, Resource::Disk);
    assert!(retry_after >= Duration::from_millis(500), "{retry_after:?}");
}

#[tokio::test]
async fn starts_that_no_measurement_has_seen_are_counted() {
    let (_dir, ballast) = ballast();
    let few = Room { free: 1000, total: 100_000 };
    let marks = Watermarks { descriptors: 900, ..Watermarks::default() };
    let gate = Gate::measuring(marks, ballast, move || [(Resource::Descriptors, few)].into());
    // Each is taken to need four, and nothing measures here.
    let admitted = (0..100).take_while(|_| gate.admit(&work()).is_ok()).count();
    assert_eq!(admitted, 26);
}

#[tokio::test]
async fn a_disk_that_fills_up_while_nobody_starts_is_known_before_the_next_start() {
    let (_dir, ballast) = ballast();
    let count = AtomicU32::new(0);
    let gate = Gate::measuring(Watermarks::default(), ballast, move || {
        disk(if count.fetch_add(1, Ordering::Relaxed) == 0 { PLENTY } else { FULL })
    });
    let mut measured = gate.inner.measured.subscribe();
    let mut measuring = JoinSet::new();
    measuring.spawn(gate.clone().keep_measuring());
    timeout(SOON, measured.changed()).await.unwrap().unwrap();
    assert_eq!(gate.admit(&work()).unwrap_err().0.resource, Resource::Disk);
}

#[tokio::test]
async fn however_many_starts_there_are_it_is_measured_at_most_every_so_often() {
    let (_dir, ballast) = ballast();
    let gate = Gate::measuring(Watermarks::default(), ballast, || disk(PLENTY));
    let mut measured = gate.inner.measured.subscribe();
    let mut measuring = JoinSet::new();
    measuring.spawn(gate.clone().keep_measuring());
    let begun = Instant::now();
    while *measured.borrow_and_update() < 3 {
        assert_eq!(gate.admit(&work()), Ok(()));
        tokio::task::yield_now().await;
        assert!(begun.elapsed() < SOON, "it is not measured");
    }
    // The first one comes once the measurement of `new` is old enough.
    assert!(begun.elapsed() >= EVERY * 3 - EVERY / 4, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_full_disk_of_a_workspace_stops_starts_there_and_is_named() {
    let (_dir, ballast) = ballast();
    let (full, other) = (tempfile::tempdir().unwrap(), AbsPath::new("/no/such/workspace").unwrap());
    let full = AbsPath::new(full.path()).unwrap();
    // A quarter of what there is, at the most, so that this disk is short only if more of it is in use.
    let gate = Gate::measuring(Watermarks::default(), ballast, || disk(PLENTY));
    gate.inner.workspaces.pretend(full.as_path(), FULL);
    let said = gate.admit(&full).unwrap_err().0.to_string();
    assert!(
        said.starts_with(&format!("this node is short of space on the disk that holds the workspace `{full}`: 0 KiB of ")),
        "{said}"
    );
    assert_eq!(gate.admit(&other), Ok(()));
    let load = gate.load(NodeLoad::default()).await;
    assert_eq!((load.short, load.refused), (vec![Resource::WorkspaceDisk], [(Resource::WorkspaceDisk, 1)].into()));
}
