//! The whole path: the real binary against a model's server that plays a script, real processes in a real sandbox, real files.
//!
//! Each test compares the whole list of events with the one it expects, and looks at what is left on the machine afterwards.
//! Invariant: a test waits for events and never sleeps, and none depends on the order in which tests run.

#![expect(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod expected;
mod scripted;
mod stage;

mod approvals;
mod as_root;
mod checkpoints;
mod items;
mod local_cluster;
mod model_server;
mod monitor;
mod nodes;
mod secrets;
mod telemetry;

mod bad_input;
mod compaction;
mod context;
mod crash;
mod daemon;
mod demo;
mod dialing;
mod hosts;
mod placement;
mod profiles;
mod real_crates;
mod registry;
mod results;
mod sandbox;
mod sdk;
mod sessions;
mod spending;
mod threads;
mod two_processes;
mod uploads;

use capstan_tests::stored;
