//! What must be kept: threads, their events, what the model was shown, and every call with its one outcome.
//!
//! [`Store`] is the trait, [`sqlite`] the implementation, and [`open()`] the factory. Nothing here decides what is stored; it sees to it
//! that what was acknowledged stays, and that only a thread's owner adds to it.

pub mod error;
pub mod record;
pub mod store;

mod rows;
mod sql;
mod writer;

mod sql_store;

pub mod sqlite;

pub mod open;

#[cfg(test)]
mod conformance;

pub use error::StoreError;
pub use open::{StoreLocation, open};
pub use record::Record;
pub use sql_store::SqlStore;
pub use store::Store;
