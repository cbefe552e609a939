//! How long a request that a node has no room for is asked again. Pure.

use capstan_tools::host::HostError;
use std::time::Duration;

/// The shortest wait before a request is sent again, whatever the node says.
const SHORTEST: Duration = Duration::from_millis(50);

/// What is left of the time that a request may wait for room. Only waits are counted: what the node takes to answer has its own deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(Duration);

impl Patience {
    /// With a node that is full, for a start: then the model is told.
    pub(super) const WITH_A_FULL_NODE: Self = Self(Duration::from_secs(20));

    /// With a node whose queue of requests to sessions is full: what is said to a session that is there takes no time.
    pub(super) const WITH_A_QUEUE: Self = Self(Duration::from_secs(10));

    /// The wait before the request is sent again, if it was refused for want of room and there is time left. Nothing was done then, so it
    /// may be repeated.
    pub(super) fn wait(&mut self, refused: &HostError) -> Option<Duration> {
        let HostError::Busy { retry_after, .. } = refused else { return None };
        let wait = (*retry_after).max(SHORTEST);
        self.0 = self.0.checked_sub(wait)?;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: Duration) -> HostError {
        HostError::Busy { node: "n1".parse().unwrap(), reason: "full".into(), retry_after }
    }

    #[test]
    fn it_is_asked_again_when_the_node_says_until_the_time_is_over() {
        let mut patience = Patience(Duration::from_secs(20));
        let waits: Vec<_> = std::iter::from_fn(|| patience.wait(&busy(Duration::from_secs(6)))).collect();
        assert_eq!(waits, [Duration::from_secs(6); 3]);
        assert_eq!(patience.wait(&busy(Duration::from_secs(2))), Some(Duration::from_secs(2)), "what is left is left");
    }

    #[test]
    fn a_node_that_says_at_once_is_not_asked_without_end() {
        let mut patience = Patience(Duration::from_secs(1));
        assert_eq!(std::iter::from_fn(|| patience.wait(&busy(Duration::ZERO))).count(), 20);
    }

    #[test]
    fn another_refusal_is_final() {
        assert_eq!(Patience(Duration::MAX).wait(&HostError::NoSession), None);
    }
}
