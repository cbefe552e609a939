//! The repository of the person's as a checkpoint that travels: what git tracks, what is changed and what is new, without what is ignored; and
//! beside it a `.git` that is made anew, so that nothing of its configuration, hooks or credentials leaves this host.
//!
//! What was sent before is not read, packed or sent again: a directory of the home per repository remembers it.

mod chain;
mod listing;
mod place;
mod send;
mod staging;
mod taken;

pub use place::Place;
pub use send::{NAME, Sent, send};
pub use staging::{Depth, Staged};
pub use taken::{Upload, take};
