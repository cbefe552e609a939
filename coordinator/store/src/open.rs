//! The factory: the only place that knows which stores there are.

use crate::error::StoreError;
use crate::postgres::url::PostgresUrl;
use crate::store::Store;
use crate::{postgres, sqlite};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A SQLite file. It is made when it is missing, and so are the directories above it.
    Sqlite(PathBuf),
    /// A PostgreSQL database, for many coordinators.
    Postgres(PostgresUrl),
    /// In memory, for this process only: what is stored is gone when the store is dropped.
    Ephemeral,
}

/// Opens a store. It must be called inside a tokio runtime, and the store be used in the same one.
///
/// # Errors
/// [`StoreError::Open`] with what to do, [`StoreError::Newer`] or [`StoreError::Full`].
pub async fn open(location: &StoreLocation) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match location {
        StoreLocation::Sqlite(path) => Arc::new(sqlite::open(path).await?),
        StoreLocation::Postgres(url) => Arc::new(postgres::open(url).await?),
        StoreLocation::Ephemeral => Arc::new(sqlite::ephemeral().await?),
    })
}
