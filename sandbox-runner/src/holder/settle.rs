//! After the end of a session has been told: what nobody has to wait for.

use super::Holder;
use crate::cgroup;
use std::time::{Duration, Instant};

/// How long after the end the groups are taken away. Whoever was told of the end has passed the news on by then.
const SETTLE_LATER: Duration = Duration::from_millis(3);
/// How long after the end its record is brought to the disk. Most sessions are released by then, and nobody reads the record of one that was.
const SYNC_LATER: Duration = Duration::from_millis(100);

impl Holder {
    /// What nobody has to wait for, a moment after the end has been told, so that it keeps no processor from those who are told: the groups
    /// are taken away, with a few of those that others could not take away themselves, and the record is brought to the disk, unless the
    /// session is released before.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.recorded && self.watch.is_some() && self.settle_at.is_none() {
            self.settle_at = Some(now + SETTLE_LATER);
        }
        if self.settle_at.is_some_and(|at| now >= at || self.released)
            && let Some(watch) = self.watch.take()
        {
            // Nobody else is in them any more, but for a process that could not be killed.
            self.inside.iter().for_each(|inside| inside.namespaces.end());
            self.spare = None;
            drop(watch);
            if let Some(places) = &self.sweeps {
                cgroup::sweep(places, cgroup::FEW);
            }
            self.sync_at = Some(now + SYNC_LATER);
        }
        if self.sync_at.take_if(|at| now >= *at && !self.released).is_some() {
            self.dir.sync();
        }
    }
}
