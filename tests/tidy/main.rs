//! Walls that the compiler does not hold up: who may import whom, how long a file may be, what must stand at its top.
//!
//! Each check is a function from file contents to a list of complaints, proven on bad examples beside it and then run over this
//! repository. Invariant: a check changes nothing and needs no network.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod module_graph;
mod repository;
mod rust_source;

mod circles;
mod dependencies;
mod doors;
mod floors;
mod lengths;
mod lints;
mod marks;
mod module_docs;
mod names;
mod orphans;
mod paths;
mod processes;
mod trusted_base;
