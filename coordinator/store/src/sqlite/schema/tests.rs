//! Files that are not ours, not databases, or of another format.

use crate::conformance::fixtures::thread;
use crate::sqlite;
use crate::store::{Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, raw_sql};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Runs SQL on a file, as another program would.
async fn elsewhere(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn refused(path: &Path) -> String {
    let before = std::fs::read(path).unwrap();
    let error = sqlite::open(path).await.unwrap_err();
    assert_eq!(std::fs::read(path).unwrap(), before, "a refused file was changed");
    assert!(matches!(error, StoreError::Open { .. } | StoreError::Newer { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
    said
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    sqlite::open(&path).await.unwrap().close().await;
    elsewhere(&path, "PRAGMA user_version = 99").await;
    let said = refused(&path).await;
    assert!(said.contains("format 99, this one reads up to 3"), "{said}");
    let newer = StoreError::Newer { path: path.display().to_string(), found: 99, known: 3 };
    assert_eq!(sqlite::open(&path).await.unwrap_err(), newer);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "not a database, only some notes\n".repeat(200)).unwrap();
    let said = refused(&path).await;
    assert!(said.contains("no store of Capstan; move the file away"), "{said}");
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bookmarks.db");
    elsewhere(&path, "CREATE TABLE bookmarks (url TEXT)").await;
    let said = refused(&path).await;
    assert!(said.contains("the database of another program"), "{said}");
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    std::fs::write(&path, "").unwrap();
    sqlite::open(&path).await.unwrap().create_thread(&thread(1)).await.unwrap();
}

#[tokio::test]
async fn a_migration_that_was_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    // The log is on and the format is not made yet: a process died between the two.
    elsewhere(&path, "PRAGMA journal_mode = WAL").await;
    sqlite::open(&path).await.unwrap().create_thread(&thread(1)).await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_be_a_file_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let below_a_file = sqlite::open(&dir.path().join("file/capstan.db")).await.unwrap_err().to_string();
    assert!(below_a_file.contains("stands where a directory should be"), "{below_a_file}");
    let a_directory = sqlite::open(dir.path()).await.unwrap_err().to_string();
    assert!(a_directory.contains("choose another CAPSTAN_HOME"), "{a_directory}");
    let not_text = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff.db"));
    let not_text = sqlite::open(&not_text).await.unwrap_err().to_string();
    assert!(not_text.contains("UTF-8"), "{not_text}");
}

#[tokio::test]
async fn opening_waits_for_a_process_that_holds_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    let mut other = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let mut opening = Box::pin(sqlite::open(&path));
    assert!(tokio::time::timeout(Duration::from_millis(300), opening.as_mut()).await.is_err(), "it did not wait");
    raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    opening.await.unwrap().create_thread(&thread(1)).await.unwrap();
}
