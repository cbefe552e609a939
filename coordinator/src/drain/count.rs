//! What was seen to run during a drain, and what became of it. Pure.

use capstan_types::id::SessionId;
use std::collections::BTreeSet;

/// What was seen to run during a drain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Count {
    running: BTreeSet<SessionId>,
    /// Those that the drain has set out to end.
    condemned: BTreeSet<SessionId>,
    ended: u32,
    cancelled: u32,
}

impl Count {
    /// These run now.
    pub(super) fn see(&mut self, running: BTreeSet<SessionId>) {
        for gone in self.running.difference(&running) {
            if self.condemned.remove(gone) {
                self.cancelled += 1;
            } else {
                self.ended += 1;
            }
        }
        self.running = running;
    }

    /// The drain sets out to end these.
    pub(super) fn condemn(&mut self, sessions: impl IntoIterator<Item = SessionId>) {
        self.condemned.extend(sessions);
    }

    /// Those that have ended by themselves.
    pub(super) const fn ended(&self) -> u32 {
        self.ended
    }

    /// Those that the drain has ended.
    pub(super) const fn cancelled(&self) -> u32 {
        self.cancelled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_before_it_is_condemned_has_ended_by_itself() {
        let of = |ids: &[u128]| ids.iter().map(|id| SessionId::from_u128(*id)).collect::<BTreeSet<_>>();
        let mut count = Count::default();
        count.see(of(&[1, 2, 3]));
        count.see(of(&[2, 3, 4]));
        count.condemn(of(&[3, 4]));
        count.see(of(&[3]));
        count.see(of(&[]));
        assert_eq!((count.ended(), count.cancelled()), (2, 2));
    }
}
