//! Threads: each an actor that owns its log and at most one running turn.

pub mod actor;
pub mod calls;
pub mod context;
pub mod items;
pub mod live;
pub mod log;
pub mod message;
pub mod open;
pub mod prompt;
pub mod step;
pub mod supervisor;
pub mod turn;
pub mod workspace;

#[cfg(test)]
mod fixture;
