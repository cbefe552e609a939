//! What a node said of itself last, and when.

use crate::clock;
use capstan_proto::convert::node::{Vitals, vitals};
use capstan_proto::wire::node::DescribeResponse;
use std::time::{Duration, Instant};

/// What a node said of itself last.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it said.
    pub vitals: Vitals,
    /// When it was heard.
    pub at: Instant,
    /// How far its clock was ahead of ours, in milliseconds, within half of the time that the answer took; `None` when it does not say.
    pub clock_ahead_ms: Option<i64>,
}

/// What an answer says that was asked for at `asked` and is here now.
pub(crate) fn of(answer: DescribeResponse, asked: Instant) -> Seen {
    let (vitals, at) = (vitals(answer), Instant::now());
    let clock_ahead_ms = vitals.clock.map(|theirs| ahead(theirs.0, clock::now().0, at - asked));
    Seen { vitals, at, clock_ahead_ms }
}

/// The other clock was read somewhere in the time that the answer took, most likely in its middle. A difference within that time is none.
fn ahead(theirs: u64, ours_now: u64, took: Duration) -> i64 {
    let half = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
    let ours = ours_now.saturating_sub(half.unsigned_abs());
    let difference = i64::try_from(theirs).unwrap_or(i64::MAX).saturating_sub(i64::try_from(ours).unwrap_or(i64::MAX));
    if difference.abs() <= half { 0 } else { difference }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_other_time() {
        let took = Duration::from_millis(400);
        assert_eq!(ahead(10_000, 10_100, took), 0);
        assert_eq!(ahead(9_950, 10_100, took), 0);
        assert_eq!(ahead(100_000, 10_200, took), 90_000);
        assert_eq!(ahead(10_000, 100_200, took), -90_000);
    }
}
