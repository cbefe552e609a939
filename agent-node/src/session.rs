//! Sessions: starting one, talking to its holder, and keeping account of it until it is released.
//!
//! Bytes of output never pass through a mailbox: each reader has a connection of its own to the holder ([`stream`]). The actor has one
//! for commands, and learns the end from it.

pub(crate) mod admission;
pub(crate) mod adopt;
pub(crate) mod dir;
pub(crate) mod ending;
pub(crate) mod holder;
pub(crate) mod launcher;
pub(crate) mod link;
pub(crate) mod metrics;
pub(crate) mod own_places;
mod pace;
mod programs;
pub(crate) mod protected;
pub(crate) mod runner;
pub(crate) mod spooled;

pub(crate) mod actor;
pub(crate) mod control;
pub(crate) mod input;
pub(crate) mod message;

pub(crate) mod run;
pub(crate) mod stream;
pub(crate) mod viewers;
