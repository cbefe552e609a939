//! The times at which a session is ended, or its holder gives up waiting to be released. By the monotonic clock: wall clocks jump.

use capstan_types::launch::SessionLimit;
use capstan_types::limits::SessionLimits;
use std::time::{Duration, Instant};

/// The deadlines of one session.
#[derive(Debug)]
pub(super) struct Deadlines {
    total: Option<Instant>,
    idle: Option<Duration>,
    stirred: Instant,
    ownerless: Duration,
    /// Since when nobody has been attached; none while somebody is.
    alone_since: Option<Instant>,
}

impl Deadlines {
    /// The deadlines of a session that starts `now`, with no owner yet.
    pub(super) fn new(limits: &SessionLimits, now: Instant) -> Self {
        Self {
            total: limits.total.map(|span| now + span.as_duration()),
            idle: limits.idle.map(|span| span.as_duration()),
            stirred: now,
            ownerless: limits.ownerless.as_duration(),
            alone_since: Some(now),
        }
    }

    /// There was output or input.
    pub(super) const fn stirred(&mut self, now: Instant) {
        self.stirred = now;
    }

    /// Whether there is an owner now.
    pub(super) const fn owned(&mut self, by_somebody: bool, now: Instant) {
        match (by_somebody, self.alone_since) {
            (true, _) => self.alone_since = None,
            (false, None) => self.alone_since = Some(now),
            (false, Some(_)) => {}
        }
    }

    fn all(&self) -> [(SessionLimit, Option<Instant>); 3] {
        [
            (SessionLimit::Total, self.total),
            (SessionLimit::Idle, self.idle.map(|span| self.stirred + span)),
            (SessionLimit::Ownerless, self.alone_since.map(|since| since + self.ownerless)),
        ]
    }

    /// The limit that has been reached.
    pub(super) fn reached(&self, now: Instant) -> Option<SessionLimit> {
        self.all().into_iter().find_map(|(limit, at)| at.filter(|at| now >= *at).map(|_| limit))
    }

    /// The next deadline of a running session.
    pub(super) fn next(&self) -> Option<Instant> {
        self.all().into_iter().filter_map(|(_, at)| at).min()
    }

    /// When a session that ended at `ended` need not be kept any longer; none while it has an owner.
    pub(super) fn forgotten(&self, ended: Instant) -> Option<Instant> {
        self.alone_since.map(|since| since.max(ended) + self.ownerless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::time::Millis;

    const SECOND: Duration = Duration::from_secs(1);

    fn deadlines(start: Instant) -> Deadlines {
        let limits = SessionLimits {
            total: Some(Millis(10_000)),
            idle: Some(Millis(4_000)),
            ownerless: Millis(6_000),
            ..SessionLimits::default()
        };
        Deadlines::new(&limits, start)
    }

    #[test]
    fn silence_is_counted_from_the_last_byte() {
        let start = Instant::now();
        let mut deadlines = deadlines(start);
        assert_eq!(deadlines.next(), Some(start + 4 * SECOND));
        deadlines.stirred(start + 3 * SECOND);
        assert_eq!(deadlines.reached(start + 5 * SECOND), None);
        assert_eq!(deadlines.reached(start + 7 * SECOND), Some(SessionLimit::Idle));
    }

    #[test]
    fn being_alone_is_counted_from_the_start_and_again_when_the_last_owner_leaves() {
        let start = Instant::now();
        let mut deadlines = deadlines(start);
        deadlines.stirred(start + 9 * SECOND);
        assert_eq!(deadlines.reached(start + 6 * SECOND), Some(SessionLimit::Ownerless));
        deadlines.owned(true, start + SECOND);
        assert_eq!(deadlines.reached(start + 6 * SECOND), None);
        deadlines.owned(false, start + 3 * SECOND);
        deadlines.owned(false, start + 5 * SECOND);
        assert_eq!(deadlines.reached(start + 9 * SECOND), Some(SessionLimit::Ownerless));
        assert_eq!(deadlines.reached(start + 10 * SECOND), Some(SessionLimit::Total));
    }

    #[test]
    fn an_ended_session_is_kept_for_its_owner_and_for_a_while_without_one() {
        let start = Instant::now();
        let mut deadlines = deadlines(start);
        assert_eq!(deadlines.forgotten(start + 5 * SECOND), Some(start + 11 * SECOND));
        deadlines.owned(true, start);
        assert_eq!(deadlines.forgotten(start + 5 * SECOND), None);
    }
}
