//! Takes the state of a directory tree into packs, puts it back, and compares two states.
//!
//! It runs as a session's program, so the sandbox around it decides what it may touch; [`check_pack`] alone is called by daemons, for packs that
//! others hand to them. Whatever is in the tree may be hostile: names are
//! followed one by one from an open directory and never through a link, and what is read of a pack counts only when it has the hash that it
//! was asked by.
//!
//! A state keeps names, contents, permission bits, times of change, symbolic links, pipes and empty directories, byte for byte. It does not
//! keep owners, extended attributes, and that two names are one file: each is kept as a file of its own. What cannot be kept (sockets,
//! devices, what may not be read) is named in the result.

mod check;
mod codec;
mod compare;
mod content;
mod directory;
mod error;
mod leave;
mod object;
mod pack;
mod pack_index;
mod put;
mod seen;
mod shown;
mod store;
mod take;
mod tree;
mod verb;

pub use check::check_pack;
pub use compare::compare;
pub use content::Content;
pub use error::TreeError;
pub use leave::Left;
pub use object::ObjectId;
pub use put::{Times, put};
pub use store::Store;
pub use take::{Places, Taken, take};
pub use verb::tree;

#[cfg(test)]
mod tests;
