//! Decides whether a failed try is followed by another, and when. Pure: time and chance come in as values.

use crate::client::ModelError;
use crate::failure::{Failure, Verdict};
use std::time::Duration;

/// How patiently to try. Both limits draw on one count of retries per step, so that they add up to the larger and never multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most retries of a request that got no answer.
    pub request_max_retries: u32,
    /// The most retries of a request whose answer broke off, or that met a rate limit.
    pub stream_max_retries: u32,
    /// The first pause; each later one is twice as long.
    pub first_pause: Duration,
    /// The longest pause that is chosen here.
    pub longest_pause: Duration,
    /// The longest pause that a provider may ask for; beyond it the step ends with an error that says when to come back.
    pub longest_wait: Duration,
}

impl RetryPolicy {
    /// The usual pauses with these limits.
    #[must_use]
    pub const fn new(request_max_retries: u32, stream_max_retries: u32) -> Self {
        Self {
            request_max_retries,
            stream_max_retries,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            longest_wait: Duration::from_secs(60),
        }
    }

    const fn limit(&self, failure: &Failure) -> u32 {
        if failure.is_before_the_answer() { self.request_max_retries } else { self.stream_max_retries }
    }

    fn pause(&self, attempt: u32, chance: u8) -> Duration {
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        // Three to five quarters of it, so that many clients which failed together do not come back together.
        let spread = doubled.min(self.longest_pause).saturating_mul(384 + u32::from(chance)) / 512;
        spread.min(self.longest_pause)
    }
}

/// What to do after a failed try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Try again.
    Retry {
        /// After this pause.
        after: Duration,
        /// The most retries there will be.
        of: u32,
        /// What failed.
        reason: String,
    },
    /// Do not.
    GiveUp(ModelError),
}

/// Decides after the `attempt`-th try (from 1) failed. `chance` spreads the pauses.
pub(crate) fn decide(failure: &Failure, attempt: u32, policy: &RetryPolicy, chance: u8) -> Decision {
    let of = policy.limit(failure);
    let left = attempt <= of;
    match failure.verdict() {
        Verdict::Never(error) => Decision::GiveUp(error),
        Verdict::Again(reason) if left => Decision::Retry { after: policy.pause(attempt, chance), of, reason },
        Verdict::Again(reason) => Decision::GiveUp(ModelError::Unavailable(format!("{reason} ({})", tried(attempt)))),
        Verdict::Later { wait: Some(wait), message } if wait > policy.longest_wait => {
            let seconds = wait.as_secs();
            Decision::GiveUp(ModelError::RateLimited(format!("{message} (it asks to come back in {seconds} s; try again then)")))
        }
        Verdict::Later { wait, message } if left => {
            let after = wait.filter(|wait| !wait.is_zero()).unwrap_or_else(|| policy.pause(attempt, chance));
            Decision::Retry { after, of, reason: message }
        }
        Verdict::Later { message, .. } => {
            Decision::GiveUp(ModelError::RateLimited(format!("{message} ({}; wait a minute and try again)", tried(attempt))))
        }
    }
}

fn tried(attempt: u32) -> String {
    if attempt == 1 { "tried once".to_owned() } else { format!("tried {attempt} times") }
}

#[cfg(test)]
mod tests;
