//! The store in SQLite: one file for one machine, or memory for one process.
//!
//! All writing goes through one task (`writer.rs`) that commits what arrives together in one transaction, so that many threads share the
//! cost of reaching the disk. Reading goes beside it on connections of its own. Invariant: nothing is acknowledged before its
//! transaction is on the disk (write-ahead log, `synchronous=FULL`).

mod adapter;
mod append;
mod commit;
mod connections;
mod fault;
mod files;
mod schema;
mod upgrade;

use crate::error::StoreError;
use crate::sql::connection::{Ask, Row, Value};
use crate::sql_store::{Reading, SqlStore};
use crate::writer::Writer;
use adapter::On;
use async_trait::async_trait;
use commit::Committer;
use connections::Connections;
use fault::failed;
use std::path::Path;
use std::sync::Arc;

/// Opens the store in the file `path`; makes the file (mode 0600) and the directories above it (0700) when they are missing.
///
/// # Errors
/// [`StoreError::Open`] with what to do, [`StoreError::Newer`] or [`StoreError::Full`].
pub async fn open(path: &Path) -> Result<SqlStore, StoreError> {
    let path = files::prepare(path).await?;
    Ok(over(Connections::to_file(&path).await?))
}

/// Opens an empty store in memory.
///
/// # Errors
/// [`StoreError::Open`] when there is no memory for it.
pub async fn ephemeral() -> Result<SqlStore, StoreError> {
    Ok(over(Connections::to_memory().await?))
}

fn over(connections: Connections) -> SqlStore {
    let connections = Arc::new(connections);
    SqlStore::new(Box::new(Readers(Arc::clone(&connections))), Writer::start(Committer(connections)))
}

/// Those who read beside the one who writes.
#[derive(Debug)]
struct Readers(Arc<Connections>);

#[async_trait]
impl Reading for Readers {
    async fn rows(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut connection = self.0.reader().await?;
        On(&mut connection).rows(statement, values).await.map_err(|fault| fault.told(failed))
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

#[cfg(test)]
mod tests;
