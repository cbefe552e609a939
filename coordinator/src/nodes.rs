//! The nodes as a coordinator knows them: who is there, how each is reached, and what a tool may do with one.

pub(crate) mod dial_in;
pub mod dialed;
pub mod everywhere;
pub mod failure;
pub mod heartbeat;
pub mod host;
pub mod link;
pub mod listing;
pub mod metrics;
pub mod operate;
mod patience;
pub mod pool;
pub mod pulse;
pub mod reader;
pub mod remote;
