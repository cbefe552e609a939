//! The suite against SQLite in both its forms, and what is SQLite's own.

use crate::conformance::fixtures::{event, log_of, numbered, said, thread, thread_id};
use crate::conformance::{self, contest, model};
use crate::sql_store::SqlStore;
use crate::sqlite;
use crate::store::{Store, StoreError};
use capstan_types::id::{Epoch, EventSeq};
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file store in a directory that goes with it.
#[derive(Debug)]
struct Kept {
    store: SqlStore,
    _dir: TempDir,
}

async fn in_a_file() -> Kept {
    let dir = tempfile::tempdir().unwrap();
    Kept { store: sqlite::open(&dir.path().join("capstan.db")).await.unwrap(), _dir: dir }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_a_file_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    conformance::check(async || {
        count.set(count.get() + 1);
        sqlite::open(&dir.path().join(format!("{}.db", count.get()))).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_memory_conforms() {
    conformance::check(async || sqlite::ephemeral().await.unwrap()).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_history_in_a_file_is_kept_as_the_model_keeps_it(steps in model::steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { model::follow(&in_a_file().await.store, steps).await });
    }

    #[test]
    fn any_history_in_memory_is_kept_as_the_model_keeps_it(steps in model::steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { model::follow(&sqlite::ephemeral().await.unwrap(), steps).await });
    }
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening_closed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let first = sqlite::open(&path).await.unwrap();
    first.create_thread(&thread(1)).await.unwrap();
    first.append(thread_id(1), Epoch(1), vec![numbered(1)]).await.unwrap();
    first.close().await;
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["capstan.db"], "a closed store is one file, to be copied or moved");

    let second = sqlite::open(&path).await.unwrap();
    second.append(thread_id(1), Epoch(1), vec![numbered(2)]).await.unwrap();
    drop(second);
    let third = sqlite::open(&path).await.unwrap();
    assert_eq!(third.events(thread_id(1), EventSeq(0), 10).await, Ok(vec![event(1), event(2)]));
    assert_eq!(third.thread(thread_id(1)).await.unwrap().unwrap().settings, thread(1).settings);
}

#[tokio::test]
async fn an_ephemeral_store_is_private() {
    let (one, other) = (sqlite::ephemeral().await.unwrap(), sqlite::ephemeral().await.unwrap());
    one.create_thread(&thread(1)).await.unwrap();
    assert_eq!(other.threads(&ThreadFilter::all(10)).await, Ok(ThreadPage::default()));
}

#[tokio::test]
async fn missing_directories_are_made_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/capstan.db");
    let store = sqlite::open(&path).await.unwrap();
    store.create_thread(&thread(1)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir.path().join("a")), mode(&dir.path().join("a/b"))), (0o700, 0o700));
    let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    assert_eq!([mode(&path), mode(&beside("-wal")), mode(&beside("-shm"))], [0o600; 3]);
}

#[tokio::test]
async fn many_stores_open_one_new_file_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let mut opening = tokio::task::JoinSet::new();
    for number in 0..12 {
        let path = path.clone();
        opening.spawn(async move {
            let store = sqlite::open(&path).await.unwrap();
            store.create_thread(&thread(number)).await.unwrap();
        });
    }
    while let Some(opened) = opening.join_next().await {
        opened.unwrap();
    }
    assert_eq!(sqlite::open(&path).await.unwrap().threads(&ThreadFilter::all(100)).await.unwrap().threads.len(), 12);
}

#[tokio::test]
async fn two_stores_over_one_file_are_fenced_like_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let (old, new) = (sqlite::open(&path).await.unwrap(), sqlite::open(&path).await.unwrap());
    old.create_thread(&thread(1)).await.unwrap();
    old.append(thread_id(1), Epoch(1), vec![numbered(1)]).await.unwrap();
    assert_eq!(new.take_over(thread_id(1), Epoch(1), "new").await, Ok(Epoch(2)));
    let refused = old.append(thread_id(1), Epoch(1), vec![numbered(2)]).await;
    assert_eq!(refused, Err(StoreError::Fenced { thread: thread_id(1), fence: Epoch(1), newest: Epoch(2) }));
    new.append(thread_id(1), Epoch(2), vec![numbered(2)]).await.unwrap();
    assert_eq!(log_of(&old, thread_id(1)).await, [1, 2]);
}

#[tokio::test]
async fn a_write_whose_caller_went_away_does_not_hurt_the_next() {
    let kept = in_a_file().await;
    kept.store.create_thread(&thread(1)).await.unwrap();
    for _ in 0..50 {
        let mut given_up = Box::pin(kept.store.append(thread_id(1), Epoch(1), vec![said("given up")]));
        std::future::poll_fn(|context| {
            let _ = given_up.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    kept.store.append(thread_id(1), Epoch(1), vec![numbered(1)]).await.unwrap();
    assert_eq!(log_of(&kept.store, thread_id(1)).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_coordinators_on_one_file_never_both_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let (one, other) = (sqlite::open(&path).await.unwrap(), sqlite::open(&path).await.unwrap());
    contest::no_stale_owner_adds_anything(&one, &other).await;
}
