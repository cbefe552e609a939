//! After the end of a session has been told: what nobody has to wait for.

use super::Holder;
use crate::cgroup;
use crate::kernel::descriptor::{Interest, PollSet};
use crate::kernel::process::{self, Reaped};
use crate::kernel::signals::{Signals, Told};
use crate::root::protect::Protection;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// How long after the end the groups are taken away. Whoever was told of the end has passed the news on by then.
const SETTLE_LATER: Duration = Duration::from_millis(3);
/// How long after the end its record is brought to the disk. Most sessions are released by then, and nobody reads the record of one that was.
const SYNC_LATER: Duration = Duration::from_millis(100);

/// How long after a session what was made to be protected is kept. To make and to remove it costs as much as all else that a start does to the
/// disk, and tools are often run one after another in the same directory.
const KEPT: Duration = Duration::from_secs(1);

impl Holder {
    /// Takes back what was made to be protected, or gives it to be kept: by one that a server made, since nobody waits for its process.
    pub(super) fn withdraw(&mut self) -> Option<Protection> {
        let protection = self.inside.take()?.view.into_protection();
        (self.sweeps.is_none() && !self.terminated && protection.is_maker).then_some(protection)
    }

    /// Lets go of everything else, of connections above all, whose end is taken for ours; and of this a moment later, unless told to go.
    pub(super) fn part(self, kept: Option<Protection>) {
        let mut signals = self.into_signals();
        let Some(_kept) = kept else { return };
        let end = Instant::now() + KEPT;
        let mut poll = PollSet::default();
        poll.add(signals.as_raw_fd(), Interest::Read);
        while let Some(left) = end.checked_duration_since(Instant::now())
            && poll.wait(Some(left)).is_ok()
        {
            if std::iter::from_fn(|| signals.next()).any(|told| told == Told::Terminate) {
                return;
            }
            // The first process of its namespaces, for one.
            while let Ok(Reaped::Child(..)) = process::reap_any() {}
        }
    }

    fn into_signals(self) -> Signals {
        self.signals
    }

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
