//! The core of the suite once more, at full strength: what a session is to a node must not depend on how strongly it is confined.
//! What the walls themselves hold is in `levels` and in the attacks.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what a session prints is how its acts are seen")]
#![expect(dead_code, reason = "helpers of the tests that are not repeated")]

mod acts;
mod bounded;
mod client;
mod server;
mod session;

mod confinement;
mod control;
mod limits;
mod limits_counted;
mod limits_groups;
mod limits_tree;
mod output;
mod program;
mod run;
mod serve;
mod streams;
mod terminal;
mod tree;
