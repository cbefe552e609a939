//! Workspaces: what the node keeps of a thread, and what it does to the thread's files. Whatever touches those files runs in the
//! sandbox, never in the node itself.

pub(crate) mod actor;
mod adopting;
pub(crate) mod jobs;
pub(crate) mod layers;
pub(crate) mod message;
pub(crate) mod once;
pub(crate) mod sessions;
mod starting;

pub(crate) mod checkout;
pub(crate) mod checkpoint;
pub(crate) mod disk;
pub(crate) mod file_access;
pub(crate) mod files;
mod flight;
pub(crate) mod git;
pub(crate) mod git_job;
pub(crate) mod made;
pub(crate) mod mirror;
pub(crate) mod open;
pub(crate) mod patch;
pub(crate) mod repository;
pub(crate) mod saved;
mod stamp;
mod system;
mod telling;
