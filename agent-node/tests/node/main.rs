//! The node as a coordinator sees it: real gRPC, real runner, real processes.
#![expect(clippy::disallowed_methods, reason = "tests start programs of their own, such as git and kill")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod fixture;

mod carried;
mod checkpoints;
mod disk;
mod exec;
mod file_access;
mod files;
mod floods;
mod full_disk;
mod hidden_states;
mod histories;
mod hostile;
mod killed;
mod lifecycle;
mod made;
mod operators;
mod orphans;
mod owners;
mod patches;
mod policy;
mod releases;
mod saved;
mod server;
mod workspace;
