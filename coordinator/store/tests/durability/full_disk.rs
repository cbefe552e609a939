//! A disk without room: a tmpfs of one mebibyte, mounted in a mount namespace of its own so that it goes with the test.

use crate::fixtures::{A, step, steps_of, thread};
use crate::role;
use capstan_store::{SqlStore, Store, StoreError, sqlite};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `test` again, where it may mount. As another user than root it becomes root of a user namespace first; where that is not
/// allowed either the test fails, and says so.
fn run_where_mounting_is_allowed(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let mut arguments = vec![Path::new("--mount"), Path::new("--")];
    if !role::is_root() {
        arguments.splice(0..0, [Path::new("--user"), Path::new("--map-root-user")]);
    }
    arguments.push(&this);
    role::run(role::under(Path::new("unshare"), &arguments, test, dir.path()));
}

#[expect(clippy::disallowed_methods, reason = "the test needs a small disk, and only the mount program makes one")]
fn mount(options: &str, at: &Path) {
    let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output().unwrap();
    assert!(done.status.success(), "cannot mount a tmpfs: {}", String::from_utf8_lossy(&done.stderr));
}

/// Takes all the room there is.
fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [65_536, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

/// Appends steps from `seq` on until one is refused; returns the refused one's number and the reason.
async fn append_until_refused(store: &SqlStore, mut seq: u64, text: &str) -> (u64, StoreError) {
    loop {
        match store.append(thread(1).id, A, step(seq, text)).await {
            Ok(()) => seq += 1,
            Err(error) => return (seq, error),
        }
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_lost_and_room_makes_it_go_on() {
    let Some(dir) = role::path_given() else {
        return run_where_mounting_is_allowed("full_disk::on_a_full_disk_nothing_is_lost_and_room_makes_it_go_on");
    };
    mount("size=1m", &dir);
    let path = dir.join("capstan.db");
    let store = sqlite::open(&path).await.unwrap();
    for number in [1, 2] {
        store.create_thread(&thread(number)).await.unwrap();
    }
    let text = "x".repeat(20_000);
    let (refused, error) = append_until_refused(&store, 1, &text).await;
    assert_eq!(error, StoreError::Full);
    assert!(refused > 10, "the disk was full after {refused} steps");

    // Nothing of the refused step is there, the rest is; and a group of many is refused one by one.
    assert_eq!(steps_of(&store, thread(1).id).await, refused - 1);
    let append = |number: u8, seq| store.append(thread(number).id, A, step(seq, &text));
    let (one, two, three) = tokio::join!(append(1, refused), append(2, 1), append(1, refused + 9));
    assert_eq!((one, two), (Err(StoreError::Full), Err(StoreError::Full)));
    assert!(matches!(three, Err(StoreError::OutOfOrder { .. })), "{three:?}");
    assert_eq!((steps_of(&store, thread(1).id).await, steps_of(&store, thread(2).id).await), (refused - 1, 0));

    mount("remount,size=8m", &dir);
    append(1, refused).await.unwrap();
    append(2, 1).await.unwrap();
    store.close().await;
    let store = sqlite::open(&path).await.unwrap();
    assert_eq!((steps_of(&store, thread(1).id).await, steps_of(&store, thread(2).id).await), (refused, 1));
}

#[tokio::test]
async fn a_store_on_a_disk_without_any_room_is_read_or_refused_in_one_sentence() {
    let Some(dir) = role::path_given() else {
        return run_where_mounting_is_allowed("full_disk::a_store_on_a_disk_without_any_room_is_read_or_refused_in_one_sentence");
    };
    mount("size=1m", &dir);
    let path = dir.join("capstan.db");
    let store = sqlite::open(&path).await.unwrap();
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread(1).id, A, step(1, "kept")).await.unwrap();
    let filler = fill(&dir);
    let (refused, error) = append_until_refused(&store, 2, &"x".repeat(20_000)).await;
    assert_eq!((error, steps_of(&store, thread(1).id).await), (StoreError::Full, refused - 1));
    store.close().await;

    // The log could not be written back, so it is still there; its index may be gone, as it is after a copy, and there is no room
    // for a new one.
    std::fs::remove_file(dir.join("capstan.db-shm")).unwrap();
    assert_eq!(fill(&dir), filler);
    match sqlite::open(&path).await {
        Ok(store) => assert_eq!(steps_of(&store, thread(1).id).await, refused - 1),
        Err(error) => assert_eq!(error, StoreError::Full),
    }
    let fresh = sqlite::open(&dir.join("fresh/fresh.db")).await.map(drop);
    assert_eq!(fresh, Err(StoreError::Full));

    std::fs::remove_file(filler).unwrap();
    let store = sqlite::open(&path).await.unwrap();
    assert_eq!(steps_of(&store, thread(1).id).await, refused - 1);
    store.append(thread(1).id, A, step(refused, "more")).await.unwrap();
    sqlite::open(&dir.join("fresh/fresh.db")).await.unwrap();
}
