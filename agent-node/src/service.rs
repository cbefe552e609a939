//! The tonic services: convert, ask, convert. Nothing is decided here.

pub(crate) mod gate;
pub(crate) mod right;
pub(crate) mod span;
pub(crate) mod status;

pub(crate) mod exec;
pub(crate) mod files;
mod kept;
mod listing;
pub(crate) mod node;
pub(crate) mod operate;
mod packs;
mod patches;
pub(crate) mod workspace;
