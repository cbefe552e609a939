//! The store in SQLite: one file for one machine, or memory for one process.
//!
//! All writing goes through one task (`writer.rs`) that commits what arrives together in one transaction, so that many threads share the
//! cost of reaching the disk. Reading goes beside it on connections of its own. Invariant: nothing is acknowledged before its
//! transaction is on the disk (write-ahead log, `synchronous=FULL`).

mod apply;
mod connections;
mod fault;
mod files;
mod read;
mod rows;
mod schema;
mod writer;

use crate::store::{Record, Store, StoreError};
use apply::Write;
use async_trait::async_trait;
use capstan_types::call::{Call, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId};
use capstan_types::thread::ThreadRecord;
use connections::Connections;
use rows::{NewRow, ThreadRow};
use std::path::Path;
use std::sync::Arc;
use writer::Writer;

/// A store in a SQLite file or in memory. Dropping it without [`Store::close`] loses nothing that was acknowledged.
#[derive(Debug)]
pub struct SqliteStore {
    connections: Arc<Connections>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store in the file `path`; makes the file (mode 0600) and the directories above it (0700) when they are missing.
    ///
    /// # Errors
    /// [`StoreError::Open`] with what to do, [`StoreError::Newer`] or [`StoreError::Full`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let path = files::prepare(path).await?;
        Ok(Self::over(Connections::to_file(&path).await?))
    }

    /// Opens an empty store in memory.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no memory for it.
    pub async fn ephemeral() -> Result<Self, StoreError> {
        Ok(Self::over(Connections::to_memory().await?))
    }

    fn over(connections: Connections) -> Self {
        let connections = Arc::new(connections);
        Self { writer: Writer::start(Arc::clone(&connections)), connections }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_thread(&self, thread: &ThreadRecord) -> Result<(), StoreError> {
        self.writer.write(Write::Create(Box::new(ThreadRow::of(thread)?))).await.map(drop)
    }

    async fn thread(&self, thread: ThreadId) -> Result<Option<ThreadRecord>, StoreError> {
        read::thread(&mut *self.connections.reader().await?, thread).await
    }

    async fn threads(&self, limit: u32) -> Result<Vec<ThreadRecord>, StoreError> {
        read::threads(&mut *self.connections.reader().await?, limit).await
    }

    async fn take_over(&self, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, StoreError> {
        self.writer.write(Write::TakeOver { thread, seen, owner: owner.to_owned() }).await
    }

    async fn append(&self, thread: ThreadId, fence: Epoch, records: Vec<Record>) -> Result<(), StoreError> {
        // Turned into JSON here, by whoever appends, so that the one writer has less to do.
        let rows = records.into_iter().map(NewRow::of).collect::<Result<Vec<_>, _>>()?;
        self.writer.write(Write::Append { thread, fence, rows, at: rows::now() }).await.map(drop)
    }

    async fn events(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError> {
        read::events(&mut *self.connections.reader().await?, thread, after, limit).await
    }

    async fn entries(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError> {
        read::entries(&mut *self.connections.reader().await?, thread).await
    }

    async fn open_calls(&self, thread: ThreadId) -> Result<Vec<Call>, StoreError> {
        read::open_calls(&mut *self.connections.reader().await?, thread).await
    }

    async fn call(&self, thread: ThreadId, call: CallId) -> Result<Option<(Call, Option<CallEnd>)>, StoreError> {
        read::call(&mut *self.connections.reader().await?, thread, call).await
    }

    async fn close(&self) {
        self.writer.drain().await;
        self.connections.close().await;
    }
}

#[cfg(test)]
mod tests;
