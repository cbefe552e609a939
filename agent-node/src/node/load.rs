//! Whether there is room for another session: what the node has left, what it keeps for itself, and the refusal in between.
//!
//! Invariant: what is short stops starts and nothing else. Sessions that run are never touched by it, and whatever ends a session or
//! frees something still goes through.

mod cgroup;
mod decision;
pub(crate) mod gate;
pub(crate) mod metrics;
mod reserve;
mod sample;
mod watermarks;
mod workspace_disks;

pub(crate) use reserve::disk_reserve;
pub(crate) use sample::space;
pub use watermarks::Watermarks;
