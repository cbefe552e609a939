//! Applies a patch to files, all of it or nothing.
//!
//! It runs as a session's program, so the sandbox around it decides what it may touch: there is no check of paths here that could be
//! fooled, nor any that has to be kept in step with the policy. First everything is read and worked out (`plan`); only then are files
//! written (`commit`), each step after it is in a journal.
//!
//! What is promised: a patch is applied whole or not at all, also where the disk fills up in the middle. One whose program is killed in the
//! middle is undone as soon as a patch is applied from the same directory again, and by the node at once. Of a loss of power nothing is
//! promised. A file keeps its permission bits, and its owner where that may be given; not its extended attributes.

mod commit;
mod journal;
mod plan;
mod rename;
mod steps;

mod program;
mod verb;

pub use program::{apply_patch, is_apply_patch};
pub use verb::patch;
