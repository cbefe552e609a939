//! What clients upload: packs, which count when they are what they are called, and the records that name them.

mod incoming;
mod kept;

pub use incoming::{Incoming, NotTaken};
pub use kept::{NotKept, Uploads};
