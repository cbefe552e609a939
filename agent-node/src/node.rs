//! The top of the node's tree of actors: who may ask, how much runs, and which workspaces there are.

pub(crate) mod capacity;
pub(crate) mod fence;
pub(crate) mod handle;
pub(crate) mod lanes;
pub(crate) mod load;
pub(crate) mod message;
pub(crate) mod retention;
pub(crate) mod supervisor;
pub(crate) mod sweep;
mod waiting;
