//! The agent node: a host's hands.
//!
//! It starts sandboxed sessions when a coordinator asks, streams what they write, and enforces who may ask. It decides nothing: what
//! is allowed comes with each request, what the kernel enforces is the runner's work. Sessions outlive it: each has a holder process
//! of its own, which this crate talks to over a Unix socket.

pub mod config;
pub mod serve;

pub mod probe;

mod node;

mod workspace;

mod session;

mod service;

mod journal;

mod ballast;
mod descriptors;
mod error;
mod state;

pub use config::{ConfigError, JournalSync, NodeConfig, RunnerPath, base_environment, default_ceiling};
pub use node::load::Watermarks;
pub use probe::{ProbeError, probe, try_session};
pub use serve::{Running, ServeError, serve};
pub use state::{CheckpointDir, StateDir, StateError};
