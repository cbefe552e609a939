//! The sandbox runner: starts one program confined, and stays with it until it has ended.
//!
//! It is the trusted base of a node, so it is small, has one thread, and fails closed: what the kernel cannot enforce is refused.
//! Beyond the ground floor's types it knows nothing of Capstan, and nothing of a network.
//!
//! The `capstan-sandbox` binary is [`main_with`], and [`apply_patch`] under that name, so that another binary can play its role.

mod verbs;

mod hold;
mod holder;
mod launch;
mod serve;

mod egress_process;

mod bounds;
mod cgroup;
mod confinement;
mod namespaces;
mod owners;
mod rlimits;
mod root;
mod roots;
mod ruleset;
mod seccomp;

mod session_dir;
mod spool;
mod terminal;

mod probe;

mod kernel;

pub use capstan_patch_files::{apply_patch, is_apply_patch};
pub use verbs::main_with;
