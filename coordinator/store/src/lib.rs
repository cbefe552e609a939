//! What must be kept: threads, their events, what the model was shown, and every call with its one outcome.
//!
//! [`Store`] is the trait, [`sqlite`] and [`postgres`] the implementations, and [`open()`] the factory. Nothing here decides what is stored; it sees to it
//! that what was acknowledged stays, and that only a thread's owner adds to it.

pub mod error;
pub mod record;
pub mod store;

mod rows;
mod sql;
mod writer;

mod sql_store;

pub mod postgres;
pub mod sqlite;

pub mod open;

#[cfg(test)]
mod conformance;
#[cfg(test)]
#[path = "../../../tests/harness/src/postgres.rs"]
#[expect(unreachable_pub, dead_code, reason = "the harness's server; as a crate it would be above this one")]
mod postgres_server;

pub use error::StoreError;
pub use open::{StoreLocation, open};
pub use postgres::url::PostgresUrl;
pub use record::{PlacedEntry, Record};
pub use sql_store::SqlStore;
pub use store::Store;
