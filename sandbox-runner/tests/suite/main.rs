//! The runner from the outside: real holders, real programs, the real kernel. Passes as root and as an ordinary user.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what a session prints is how its acts are seen")]

mod acts;
mod ahead;
mod apply_patch;
mod bounded;
mod client;
mod server;
mod session;

mod cases;
mod confinement;
mod control;
mod files;
mod floods;
mod keeper;
mod kept;
mod levels;
mod limits;
mod limits_counted;
mod limits_groups;
mod limits_tree;
mod network;
mod output;
mod patch;
mod program;
mod refusals;
mod run;
mod scan;
mod serve;
mod streams;
mod terminal;
mod tree;
