//! What must be kept: threads, their events, what the model was shown, and every call with its one outcome.
//!
//! [`Store`] is the trait, [`sqlite`] the implementation, and [`open()`] the factory. Nothing here decides what is stored; it sees to it
//! that what was acknowledged stays, and that only a thread's owner adds to it.

pub mod store;

pub mod sqlite;

pub mod open;

#[cfg(test)]
mod conformance;

pub use open::{StoreLocation, open};
pub use sqlite::SqliteStore;
pub use store::{Record, Store, StoreError};
