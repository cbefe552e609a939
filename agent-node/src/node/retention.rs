//! Which ended sessions are kept for their coordinator, and which are forgotten without its word.
//!
//! A coordinator releases a session when its end is stored. One that died does not; its sessions must not pile up. Time is passed in.

use capstan_types::id::{SessionId, ThreadId};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long an ended session is kept.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(600);

/// How many ended sessions are kept at least; each costs a process and its retained output.
const KEPT_AT_LEAST: usize = 256;

/// The ended sessions, oldest end first.
#[derive(Debug)]
pub(crate) struct Retention {
    ended: VecDeque<(Instant, ThreadId, SessionId)>,
    /// How many are kept. Full: the one that ended first is forgotten.
    most: usize,
}

impl Retention {
    /// On a node that runs so many sessions at once: all of them may end at one moment.
    pub(crate) fn of(sessions: u32) -> Self {
        let most = usize::try_from(sessions).unwrap_or(usize::MAX).max(KEPT_AT_LEAST);
        Self { ended: VecDeque::new(), most }
    }

    /// Notes an end; gives the session that has to go for it.
    pub(crate) fn ended(&mut self, now: Instant, thread: ThreadId, session: SessionId) -> Option<(ThreadId, SessionId)> {
        self.ended.push_back((now, thread, session));
        if self.ended.len() > self.most { self.take_oldest() } else { None }
    }

    /// Notes that a session has been released.
    pub(crate) fn released(&mut self, session: SessionId) {
        self.ended.retain(|(_, _, kept)| *kept != session);
    }

    /// The sessions whose time is over.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<(ThreadId, SessionId)> {
        let over = self.ended.iter().take_while(|(at, ..)| now.saturating_duration_since(*at) >= KEPT_FOR).count();
        self.ended.drain(..over).map(|(_, thread, session)| (thread, session)).collect()
    }

    fn take_oldest(&mut self) -> Option<(ThreadId, SessionId)> {
        self.ended.pop_front().map(|(_, thread, session)| (thread, session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREAD: ThreadId = ThreadId::from_u128(1);

    fn session(number: usize) -> SessionId {
        SessionId::from_u128(number as u128)
    }

    #[test]
    fn an_unreleased_session_is_forgotten_after_its_time_and_a_released_one_is_not_mentioned() {
        let (start, mut kept) = (Instant::now(), Retention::of(1));
        assert_eq!(kept.ended(start, THREAD, session(1)), None);
        assert_eq!(kept.ended(start + KEPT_FOR / 2, THREAD, session(2)), None);
        assert_eq!(kept.ended(start + KEPT_FOR / 2, THREAD, session(3)), None);
        assert_eq!(kept.due(start + KEPT_FOR - Duration::from_millis(1)), []);
        assert_eq!(kept.due(start + KEPT_FOR), [(THREAD, session(1))]);
        kept.released(session(2));
        assert_eq!(kept.due(start + KEPT_FOR * 2), [(THREAD, session(3))]);
        assert_eq!(kept.due(start + KEPT_FOR * 9), []);
    }

    #[test]
    fn past_the_bound_the_one_that_ended_first_goes() {
        let (now, mut kept) = (Instant::now(), Retention::of(1));
        for number in 0..KEPT_AT_LEAST {
            assert_eq!(kept.ended(now, THREAD, session(number)), None);
        }
        assert_eq!(kept.ended(now, THREAD, session(9999)), Some((THREAD, session(0))));
        assert_eq!(kept.ended(now, THREAD, session(9998)), Some((THREAD, session(1))));
    }

    #[test]
    fn as_many_are_kept_as_may_run_at_once() {
        let (now, mut kept) = (Instant::now(), Retention::of(1000));
        assert!((0..1000).all(|number| kept.ended(now, THREAD, session(number)).is_none()));
        assert_eq!(kept.ended(now, THREAD, session(1000)), Some((THREAD, session(0))));
    }
}
