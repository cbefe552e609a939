//! The system calls that the standard library does not offer, each wrapped once, so that `unsafe` stays here and in the child.
//!
//! Nothing in here decides anything.

pub(crate) mod baton;
pub(crate) mod beneath;
pub(crate) mod birth;
pub(crate) mod descriptor;
pub(crate) mod memory;
pub(crate) mod mounts;
pub(crate) mod peer;
pub(crate) mod privileges;
pub(crate) mod proc_file;
pub(crate) mod process;
pub(crate) mod signals;
