//! The store in PostgreSQL: one database for many coordinators.
//!
//! All writing of one process goes through one task that commits what arrives together in one transaction; the rows of the threads in
//! it are locked, so that two coordinators meet at the epoch. Reading goes beside it on connections of its own. A database that goes
//! away is waited for, and what was on its way then is neither lost nor stored twice.

mod adapter;
mod append;
mod commit;
mod fault;
mod place;
mod readers;
mod schema;
pub mod url;

use crate::error::StoreError;
use crate::rows::now;
use crate::sql_store::SqlStore;
use crate::writer::Writer;
use capstan_types::id::CallId;
use commit::Committer;
use fault::not_opened;
use place::Place;
use readers::Readers;
use std::time::Duration;
use url::PostgresUrl;

/// Where Capstan's tables stand in the database.
const SCHEMA: &str = "capstan";

/// How long a database that is away is waited for; one that starts again after a crash needs some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens the store in a database; makes its schema `capstan` when it is missing.
///
/// # Errors
/// [`StoreError::Open`] with what to do, [`StoreError::Newer`] or [`StoreError::Full`].
pub async fn open(url: &PostgresUrl) -> Result<SqlStore, StoreError> {
    open_in(url, SCHEMA, PATIENCE).await
}

/// The same, in another schema and with another patience.
pub(crate) async fn open_in(url: &PostgresUrl, schema: &str, patience: Duration) -> Result<SqlStore, StoreError> {
    let place = Place::of(url.clone(), schema, patience)?;
    let mut connection = place.connect().await.map_err(|error| not_opened(url, &error))?;
    schema::prepare(&mut connection, &place, now()).await?;
    // Any identifier that is unique will do.
    let writer = CallId::generate().to_string();
    let committer = Committer::of(place.clone(), writer, connection);
    Ok(SqlStore::new(Box::new(Readers::of(place)), Writer::start(committer)))
}

#[cfg(test)]
mod tests;
