//! Who of the forked holders still waits for a session, and when the next is to be forked.

use std::time::{Duration, Instant};

/// How long after a holder was taken another is forked. A short program has ended by then, and a long one does not feel it.
const LATER: Duration = Duration::from_millis(5);
/// How long to wait after a failure, which may repeat itself.
const HOLD_OFF: Duration = Duration::from_secs(1);

/// The waiting holders, by their process ids.
#[derive(Debug)]
pub(super) struct Pool {
    wanted: usize,
    waiting: Vec<libc::pid_t>,
    fill_at: Instant,
}

impl Pool {
    /// A pool that is to be filled at once.
    pub(super) fn new(wanted: usize, now: Instant) -> Self {
        Self { wanted, waiting: Vec::with_capacity(wanted), fill_at: now }
    }

    /// Who waits.
    pub(super) fn waiting(&self) -> &[libc::pid_t] {
        &self.waiting
    }

    /// Whether nobody waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When one is to be forked, if one is.
    pub(super) fn next(&self) -> Option<Instant> {
        (self.waiting.len() < self.wanted).then_some(self.fill_at)
    }

    /// Whether one is to be forked now.
    pub(super) fn wants_one(&self, now: Instant) -> bool {
        self.next().is_some_and(|at| now >= at)
    }

    /// One has been forked.
    pub(super) fn joined(&mut self, pid: libc::pid_t) {
        self.waiting.push(pid);
    }

    /// One has a session now. The first that is missing says when all that are missing by then are forked: were that put off by each, there
    /// would be none while one session follows another.
    pub(super) fn took(&mut self, pid: libc::pid_t, now: Instant) {
        let full = self.next().is_none();
        self.waiting.retain(|waiting| *waiting != pid);
        if full {
            self.fill_at = self.fill_at.max(now + LATER);
        }
    }

    /// A process has ended; one that waited should not have.
    pub(super) fn failed(&mut self, pid: libc::pid_t, now: Instant) {
        if self.waiting.contains(&pid) {
            self.waiting.retain(|waiting| *waiting != pid);
            self.hold_off(now);
        }
    }

    /// None can be forked now.
    pub(super) fn hold_off(&mut self, now: Instant) {
        self.fill_at = now + HOLD_OFF;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_holder_is_replaced_a_little_later_and_a_failed_one_much_later() {
        let now = Instant::now();
        let mut pool = Pool::new(2, now);
        assert!(pool.is_empty() && pool.wants_one(now));
        pool.joined(7);
        pool.joined(8);
        assert_eq!((pool.is_empty(), pool.next()), (false, None));
        pool.took(7, now);
        assert!(!pool.wants_one(now) && pool.wants_one(now + LATER));
        pool.failed(7, now);
        assert_eq!(pool.next(), Some(now + LATER), "the end of a session is no failure");
        pool.failed(8, now);
        assert!(pool.is_empty() && !pool.wants_one(now + LATER) && pool.wants_one(now + HOLD_OFF));
    }

    #[test]
    fn holders_that_are_taken_one_after_another_are_replaced_all_the_same() {
        let now = Instant::now();
        let mut pool = Pool::new(3, now);
        (1..=3).for_each(|pid| pool.joined(pid));
        pool.took(1, now);
        pool.took(2, now + LATER / 2);
        assert_eq!(pool.next(), Some(now + LATER));
        pool.took(3, now + LATER);
        assert!(pool.wants_one(now + LATER), "sessions that follow each other put nothing off");
    }

    #[test]
    fn a_pool_of_none_wants_none() {
        let now = Instant::now();
        let pool = Pool::new(0, now);
        assert!(pool.is_empty() && pool.next().is_none());
    }
}
