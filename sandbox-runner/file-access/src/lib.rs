//! Reads, lists, searches, writes and watches the files of a workspace.
//!
//! It runs as a session's program, so the sandbox around it decides what it may touch. Whatever is in the workspace may be hostile, and may
//! change at this moment: names are followed one by one from an open directory, a link only as far as it stays below the workspace's top, and
//! nothing but a regular file is ever opened to be read. (`openat2` would do the same with one call, but a session's filter has no such call.)
//!
//! Every answer is bounded: in names, in bytes, in time, and in the memory that it takes here.

mod beneath;
mod facts;
mod hash;
mod list;
mod names;
mod out;
mod read;
mod refusal;
mod search;
mod verb;
mod walk;
mod watch;
mod write;

pub use verb::files;

#[cfg(test)]
mod tests;
