//! How the database is reached: every connection is made here, with its deadlines.

use super::fault::open_error;
use super::url::PostgresUrl;
use crate::error::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The longest that connecting may take.
pub(super) const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The longest that one statement may take, by the database's own clock.
const STATEMENT: &str = "15s";

/// The longest wait for a row that another coordinator holds.
const LOCK: &str = "10s";

/// The longest that a transaction of ours stays open when this process hangs; then its rows are free for others.
const IDLE: &str = "30s";

/// Connections that read at the same time. All taken: readers wait.
const READERS: u32 = 8;

/// A database and the schema in it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) url: PostgresUrl,
    pub(super) schema: String,
    /// How long a database that is away is waited for.
    pub(super) patience: Duration,
    options: PgConnectOptions,
}

impl Place {
    pub(super) fn of(url: PostgresUrl, schema: &str, patience: Duration) -> Result<Self, StoreError> {
        let options = url.options().map_err(|error| open_error(&url, error.to_string()))?;
        let options = options.application_name("capstan").options([
            ("search_path", schema),
            ("statement_timeout", STATEMENT),
            ("lock_timeout", LOCK),
            ("idle_in_transaction_session_timeout", IDLE),
            // Whatever the server's default: what is acknowledged is on its disk.
            ("synchronous_commit", "on"),
            ("client_min_messages", "warning"),
        ]);
        Ok(Self { url, schema: schema.to_owned(), patience, options })
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        match timeout(CONNECT_PATIENCE, self.options.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(late("connecting took too long")),
        }
    }

    pub(super) fn readers(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(CONNECT_PATIENCE)
            // A question that meets a dead connection is asked again; to ask first would double the way.
            .test_before_acquire(false)
            .connect_lazy_with(self.options.clone())
    }
}

/// A deadline that has passed on our side: the connection is as good as gone.
pub(super) fn late(what: &str) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, what.to_owned()))
}
