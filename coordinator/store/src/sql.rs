//! What a store does, in the SQL that SQLite and PostgreSQL share.
//!
//! [`connection`] is the seam below, [`write`] the door for everything that changes something; `read` and `list` answer questions.

pub(crate) mod connection;
pub(crate) mod fault;

mod append;
mod calls;
mod delete;
mod fence;
mod fork;
mod thread_row;

pub(crate) mod list;
pub(crate) mod queue;
pub(crate) mod read;
pub(crate) mod said;
pub(crate) mod write;
