//! The connections of a store: one that writes, and a few that read.
//!
//! A file is read on connections of their own, beside the writer, thanks to the write-ahead log. Memory belongs to one connection, so
//! its readers and its writer take turns on that.

use super::fault::{failed, not_opened};
use super::schema;
use crate::error::StoreError;
use crate::writer::closed;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, SqlitePool};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// Connections that read at the same time. All taken: readers wait, at most [`PATIENCE`].
const READERS: u32 = 4;

/// The longest wait for a connection, and for a lock that another process holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest that closing waits for a reader.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How large the log may stay after it has been written back, in bytes: a burst should not keep its disk space for ever.
const LOG_KEEPS: &str = "16777216";

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    /// `None` once closed.
    writer: Mutex<Option<SqliteConnection>>,
    /// `None` when the writer's connection is read from, too.
    readers: Option<SqlitePool>,
}

impl Connections {
    pub(super) async fn to_file(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE);
        let writing = options.clone().synchronous(SqliteSynchronous::Full).pragma("journal_size_limit", LOG_KEEPS);
        let mut writer = writing.connect().await.map_err(|error| not_opened(path, error))?;
        if let Err(error) = schema::prepare_file(&mut writer, path).await {
            // Closed here, so that no thread of SQLite still holds the file when the caller reads the error.
            let _ = writer.close().await;
            return Err(error);
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { writer: Mutex::new(Some(writer)), readers: Some(readers) })
    }

    pub(super) async fn to_memory() -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let mut writer = options.connect().await.map_err(|error| not_opened(Path::new(":memory:"), error))?;
        schema::prepare_memory(&mut writer).await?;
        Ok(Self { writer: Mutex::new(Some(writer)), readers: None })
    }

    /// The connection that writes; the caller is alone with it.
    pub(super) async fn writer(&self) -> Result<Taken<'_>, StoreError> {
        let held = timeout(PATIENCE, self.writer.lock()).await.map_err(|_| StoreError::Late(PATIENCE))?;
        MutexGuard::try_map(held, Option::as_mut).map(Taken::Writer).map_err(|_| closed())
    }

    /// A connection to read from.
    pub(super) async fn reader(&self) -> Result<Taken<'_>, StoreError> {
        match &self.readers {
            None => self.writer().await,
            Some(pool) => pool.acquire().await.map(Taken::Reader).map_err(|error| match error {
                sqlx::Error::PoolClosed => closed(),
                sqlx::Error::PoolTimedOut => StoreError::Late(PATIENCE),
                other => failed(other),
            }),
        }
    }

    /// Closes them all, the writer last: SQLite writes the log back with the last connection.
    pub(super) async fn close(&self) {
        if let Some(pool) = &self.readers {
            // A reader that hangs must not keep the process from ending; its connection closes with the process.
            let _ = timeout(CLOSE_PATIENCE, pool.close()).await;
        }
        if let Some(writer) = self.writer.lock().await.take()
            && let Err(error) = writer.close().await
        {
            tracing::warn!(%error, "the store was not closed cleanly; nothing that was stored is lost");
        }
    }
}

/// A connection in use.
pub(super) enum Taken<'a> {
    Writer(tokio::sync::MappedMutexGuard<'a, SqliteConnection>),
    Reader(PoolConnection<Sqlite>),
}

impl Deref for Taken<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Writer(connection) => connection,
            Self::Reader(connection) => connection,
        }
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Writer(connection) => connection,
            Self::Reader(connection) => connection,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::Connections;
    use sqlx::{Row, SqliteConnection, query};

    async fn pragma(connection: &mut SqliteConnection, ask: &'static str) -> String {
        let row = query(ask).fetch_one(connection).await.unwrap();
        row.try_get::<i64, _>(0).map_or_else(|_| row.get::<String, _>(0), |number| number.to_string())
    }

    #[tokio::test]
    async fn the_writer_waits_for_the_disk_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = files::prepare(&dir.path().join("capstan.db")).await.unwrap();
        let connections = Connections::to_file(&path).await.unwrap();
        let mut writer = connections.writer().await.unwrap();
        assert_eq!(pragma(&mut writer, "PRAGMA journal_mode").await, "wal");
        assert_eq!(pragma(&mut writer, "PRAGMA synchronous").await, "2", "an acknowledged record must survive a power failure");
        assert_eq!(pragma(&mut writer, "PRAGMA foreign_keys").await, "1");
        assert_eq!(pragma(&mut writer, "PRAGMA busy_timeout").await, "10000");
        assert_eq!(pragma(&mut writer, "PRAGMA journal_size_limit").await, "16777216");
        let mut reader = connections.reader().await.unwrap();
        assert_eq!(pragma(&mut reader, "PRAGMA journal_mode").await, "wal");
        assert!(query("DELETE FROM threads").execute(&mut *reader).await.is_err());
    }
}
