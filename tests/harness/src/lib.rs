//! What the tests of the whole house share: a model's server that does as it is told, the real binaries, real repositories.
//!
//! A harness fails its test by panicking with everything it knows. Invariant: every wait has a deadline, every process and thread that
//! is started here is gone when its handle is dropped, and nothing here knows what a right answer is: that is the test's to say.

#![expect(clippy::panic, clippy::expect_used, reason = "a harness fails its test by panicking")]

pub mod capstan;
pub mod crates;
pub mod etcd;
pub mod git;
pub mod postgres;
pub mod process;
pub mod relay;
pub mod responses_server;
pub mod seeded;
pub mod small_disk;
pub mod stored;
pub mod wait;
