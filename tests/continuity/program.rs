//! What is run in a round.

use capstan_tests::seeded::Numbers;
use std::time::Duration;

/// How long a round may take on a busy machine until everything has come to its end.
pub(crate) const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// What a program is to print, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) seed: u64,
    pub(crate) length: u64,
    pub(crate) milliseconds: u64,
    pub(crate) code: i32,
}

impl Program {
    /// Most print less than is retained; one in four has its middle dropped.
    pub(crate) fn draw(seed: u64, numbers: &mut Numbers) -> Self {
        let length = if numbers.below(4) == 0 { 2 << 20 } else { 0 } + numbers.below(3 << 19);
        let code = i32::try_from(numbers.below(120)).expect("a code is small");
        Self { seed, length, milliseconds: 300 + numbers.below(1200), code }
    }
}

/// A number from the environment.
pub(crate) fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}
