//! The git of this host, run on a repository of the person who gave the command: no hooks, no programs that a configuration names, nothing
//! fetched, and never the person's index.

mod bench;
#[cfg(test)]
pub mod fixture;
mod program;
mod repository;

pub use crate::local_program::{Input, Said};
pub use bench::{Bench, Objects};
pub use program::Git;
pub use repository::{Format, Repository};
