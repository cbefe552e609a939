//! The life of threads against a small model of it: random requests, answers, crashes and forks, each with what must come of it.
//!
//! A coordinator in this process runs over a store in a file, with a node in a process of its own; its model answers when a case lets it. A crash
//! drops the coordinator as it is, and another one of its line opens the store. After each step the store must come to what the model of the case
//! holds, and at the end everything that was acknowledged must be there, in its order, once.
//!
//! `CAPSTAN_STATES` says how many cases are tried (12 unless set), `CAPSTAN_SEED` with which seed. A case that fails is made smaller and printed.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod case;
mod expected;
mod house;
mod oracle;
mod step;

use case::Case;
use house::House;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use step::steps;

/// How long a case that fails is made smaller, in milliseconds: each try of one may take as long as it is waited for.
const SHRINK_MS: u32 = 100_000;

/// A number from the environment.
fn from_environment(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn whatever_is_asked_and_whenever_a_coordinator_dies_a_thread_comes_to_what_was_acknowledged() {
    let house = House::new();
    let (cases, seed) = (from_environment("CAPSTAN_STATES", 12), from_environment("CAPSTAN_SEED", 1));
    let config =
        Config { cases, max_shrink_iters: 100, max_shrink_time: SHRINK_MS, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let ran = runner.run(&steps(), |steps| {
        let case = std::panic::AssertUnwindSafe(|| house.block_on(Case::run(&house, &steps)));
        std::panic::catch_unwind(case).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            TestCaseError::fail(text.unwrap_or_default())
        })
    });
    house.end();
    ran.unwrap_or_else(|error| panic!("{error}"));
}
