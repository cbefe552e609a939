//! From the start of a session to its release, as four phases that follow one another.
//!
//! Running → (the program ends) draining → killing what is left → ended; or, when somebody or a limit ends it, from running straight to
//! killing. How it ends is decided once, when running stops.

use super::watch::Watch;
use super::{Holder, tree};
use crate::kernel::process::{self, ExitStatus};
use crate::namespaces::Namespaces;
use capstan_types::launch::{EndRecord, SessionEnd};
use std::time::{Duration, Instant};

/// How long output may still come after the program has ended, from a child in the background for one.
const DRAIN: Duration = Duration::from_millis(100);
/// How long to wait between two attempts at killing what is left.
const KILL_AGAIN: Duration = Duration::from_millis(20);
/// When to stop waiting for processes that do not die, because they hang in the kernel or are not ours to kill.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How long to wait before trying again to write the end record.
const RECORD_AGAIN: Duration = Duration::from_secs(1);
/// How long a holder that was told to terminate waits for its connections to take the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The program runs.
    Running,
    /// The program has ended, and the rest of its output is on its way.
    Draining { until: Instant },
    /// What is left of the tree is killed. `settled` is when output is no longer waited for, set when nobody is left to write.
    Killing { again: Instant, give_up: Instant, settled: Option<Instant> },
    /// It is over.
    Ended { at: Instant, record_again: Instant },
}

impl Holder {
    /// Ends the session, unless its end is decided already; what is left of it dies either way.
    pub(super) fn end_with(&mut self, end: SessionEnd) {
        match self.phase {
            Phase::Running => {
                self.end.get_or_insert(end);
                self.start_killing(Instant::now());
            }
            Phase::Draining { .. } => self.start_killing(Instant::now()),
            Phase::Killing { .. } | Phase::Ended { .. } => {}
        }
    }

    fn start_killing(&mut self, now: Instant) {
        self.let_go_of_streams();
        self.phase = Phase::Killing { again: now, give_up: now + GIVE_UP, settled: None };
    }

    /// Without our hold on them the streams come to their end when the last process closes them.
    fn let_go_of_streams(&mut self) {
        self.slave = None;
        self.input.shut();
    }

    /// Goes as far as the clock and what has happened allow.
    pub(super) fn advance(&mut self, now: Instant) {
        loop {
            let before = self.phase;
            match before {
                Phase::Running => self.leave_running(now),
                Phase::Draining { until } if self.output.is_none() || now >= until => self.start_killing(now),
                Phase::Draining { .. } => {}
                Phase::Killing { again, give_up, settled } => self.go_on_killing(now, again, give_up, settled),
                Phase::Ended { record_again, .. } if !self.recorded && now >= record_again => self.record(now),
                Phase::Ended { .. } => {}
            }
            if self.phase == before {
                return;
            }
        }
    }

    fn leave_running(&mut self, now: Instant) {
        if let Some(status) = self.exit {
            self.end = Some(match status {
                ExitStatus::Code(code) => SessionEnd::Exited { code },
                ExitStatus::Signal(signal) => SessionEnd::Signalled { signal },
            });
            self.let_go_of_streams();
            self.phase = Phase::Draining { until: now + DRAIN };
            return;
        }
        let output = self.spool.total();
        let counted = || self.watch.as_mut().and_then(|watch| watch.reached(now, output));
        if let Some(limit) = self.deadlines.reached(now).or_else(counted) {
            self.end_with(SessionEnd::Limit(limit));
        }
    }

    fn go_on_killing(&mut self, now: Instant, again: Instant, give_up: Instant, settled: Option<Instant>) {
        // As after most programs. Init is ended when the end has been told, and whoever waits for that need not wait for this.
        self.childless = self.childless || (!self.killed && self.is_deserted());
        if !self.childless && now >= again && now < give_up {
            self.kill_tree();
            self.reap();
            self.phase = Phase::Killing { again: Instant::now() + KILL_AGAIN, give_up, settled };
        }
        match settled {
            None if self.childless => self.phase = Phase::Killing { again, give_up, settled: Some(now + DRAIN) },
            Some(settled) if self.output.is_none() || now >= settled => self.finish(now),
            _ if now >= give_up => self.finish(now),
            _ => {}
        }
    }

    /// Whether nobody is left but init, and there is no proxy to be heard out.
    fn is_deserted(&self) -> bool {
        let used = self.inside.as_ref().filter(|inside| inside.proxy.is_none()).map(|inside| &inside.namespaces);
        self.exit.is_some() && used.or(self.spare.as_ref()).is_some_and(Namespaces::is_empty)
    }

    /// The kernel kills a group at once, if there is one. Whoever is not in it, or there still is at the next attempt, is sought out.
    fn kill_tree(&mut self) {
        let first = !std::mem::replace(&mut self.killed, true);
        self.read_refusals();
        self.end_proxy();
        let at_once = first && self.watch.as_ref().is_some_and(|watch| watch.cgroup().kill());
        self.spare = None;
        if first {
            process::hurry();
        }
        match &self.inside {
            Some(inside) => inside.namespaces.end(),
            None if !at_once => tree::kill(),
            None => {}
        }
    }

    fn finish(&mut self, now: Instant) {
        self.output = None;
        if let (Some(end), Some(watch)) = (&self.end, &self.watch)
            && let Some(limit) = watch.last(end, self.spool.total())
        {
            self.end = Some(SessionEnd::Limit(limit));
        }
        self.record(now);
    }

    /// Writes the end down. If the disk refuses, the end is told all the same, and written when the disk allows.
    fn record(&mut self, now: Instant) {
        let at = if let Phase::Ended { at, .. } = self.phase { at } else { now };
        let end = self.end.get_or_insert_with(|| SessionEnd::Unknown { reason: "the holder lost track of it".to_owned() });
        // Nothing is added any more, so an attempt that failed has made it.
        let seal = self.seal.get_or_insert_with(|| self.spool.seal(EndRecord::MOST_CHAINED));
        self.recorded = self.dir.record(&EndRecord::new(end.clone(), seal)).is_ok();
        self.phase = Phase::Ended { at, record_again: now + RECORD_AGAIN };
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => [self.deadlines.next(), self.watch.as_ref().and_then(Watch::next)].into_iter().flatten().min(),
            Phase::Draining { until } => Some(until),
            Phase::Killing { again, settled, .. } => settled.or(Some(again)),
            Phase::Ended { at, record_again } => {
                let record = (!self.recorded).then_some(record_again);
                let farewell = self.terminated.then_some(at + FAREWELL);
                let settle = self.settle_at.filter(|_| self.watch.is_some());
                [record, farewell, settle, self.sync_at, self.deadlines.forgotten(at)].into_iter().flatten().min()
            }
        }
    }

    /// Whether the session is over, and nobody needs its holder any more.
    pub(super) fn may_go(&self, now: Instant) -> bool {
        let Phase::Ended { at, .. } = self.phase else {
            return false;
        };
        let told = self.connections.iter().all(super::Connection::knows_the_end);
        let terminated = self.terminated && (told || now >= at + FAREWELL);
        self.released || terminated || self.deadlines.forgotten(at).is_some_and(|moment| now >= moment)
    }
}
