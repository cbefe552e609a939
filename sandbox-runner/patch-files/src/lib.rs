//! Applies a patch to files, all of it or nothing.
//!
//! It runs as a session's program, so the sandbox around it decides what it may touch: there is no check of paths here that could be
//! fooled, nor any that has to be kept in step with the policy. First everything is read and worked out (`plan`); only then are files
//! written (`commit`).

mod commit;
mod plan;
mod rename;
mod verb;

pub use verb::patch;
