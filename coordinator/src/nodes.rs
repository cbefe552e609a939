//! The nodes as a coordinator knows them: who is there, how each is reached, and what a tool may do with one.

pub mod board;
pub(crate) mod dial_in;
pub mod dialed;
pub mod doorway;
pub mod events;
pub mod everywhere;
pub mod failure;
pub mod far_host;
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
pub mod told;
pub mod vitals;
