//! The limits that are counted rather than timed: memory, processes, processor time, bytes written, output, the size of a file.
//!
//! What a cgroup bounds, the kernel bounds at once, and here it is only noticed; what none bounds is added up here. It is looked at every
//! 250 ms while the session computes, and down to once a second while it does not. A last look when all is over decides what the end is
//! called, however quickly the program went.

use super::flood::Flood;
use super::tree;
use super::usage::{self, Usage};
use crate::bounds::Bounds;
use crate::cgroup::Cgroup;
use crate::kernel::process::{self, ExitStatus};
use capstan_types::launch::{SessionEnd, SessionLimit};
use std::time::{Duration, Instant};

/// How long after one look at a busy session the next one comes.
const BUSY: Duration = Duration::from_millis(250);
/// The same for one that has not computed since the last look.
const QUIET: Duration = Duration::from_secs(1);

/// The watch over one session. The session's groups go with it.
#[derive(Debug)]
pub(crate) struct Watch {
    bounds: Bounds,
    /// The next look; none when no limit needs one.
    at: Option<Instant>,
    pause: Duration,
    /// The processor time at the last look.
    cpu: Duration,
    /// Whether a process was killed for writing too large a file.
    too_large: bool,
    flood: Flood,
}

impl Watch {
    /// A watch over a session that starts `now`.
    pub(crate) fn new(bounds: Bounds, now: Instant) -> Self {
        let limits = bounds.limits();
        let counted = [limits.memory, limits.written, limits.processes.map(u64::from), limits.cpu_time.map(|span| span.0)];
        let at = counted.iter().any(Option::is_some).then_some(now + BUSY);
        Self { bounds, at, pause: BUSY, cpu: Duration::ZERO, too_large: false, flood: Flood::new(now) }
    }

    /// The groups of the session.
    pub(crate) const fn cgroup(&self) -> &Cgroup {
        self.bounds.cgroup()
    }

    /// When to look next.
    pub(crate) const fn next(&self) -> Option<Instant> {
        self.at
    }

    /// A process of the session has ended. That a file was too large is told by nothing else.
    pub(crate) fn saw(&mut self, status: ExitStatus) {
        self.too_large |= status == ExitStatus::Signal(libc::SIGXFSZ);
    }

    /// The limit that has been reached, given how much output there was so far.
    pub(crate) fn reached(&mut self, now: Instant, output: u64) -> Option<SessionLimit> {
        self.flood.see(now, output);
        if self.bounds.limits().output.is_some_and(|most| output > most) {
            return Some(SessionLimit::Output);
        }
        self.at.filter(|at| now >= *at)?;
        let usage = self.usage(true);
        self.pause = if usage.cpu > self.cpu { BUSY } else { (2 * self.pause).min(QUIET) };
        self.cpu = usage.cpu;
        self.at = Some(Instant::now() + self.pause);
        self.over(&usage)
    }

    /// What a session is to be called that came to `end` by itself, now that nothing of it is left.
    pub(crate) fn last(&self, end: &SessionEnd, output: u64) -> Option<SessionLimit> {
        let failed = match end {
            SessionEnd::Exited { code } => *code != 0,
            SessionEnd::Signalled { .. } => true,
            SessionEnd::Limit(_) | SessionEnd::Killed { .. } | SessionEnd::Unknown { .. } => return None,
        };
        // A process that grew until it was refused more, and failed, between two looks.
        let outgrown = || failed && self.bounds.watches_memory().is_some_and(|most| process::largest_child() >= most - most / 8);
        let too_much = || self.bounds.limits().output.is_some_and(|most| output > most);
        self.over(&self.usage(self.bounds.limits().cpu_time.is_some()))
            .or_else(|| outgrown().then_some(SessionLimit::Memory))
            .or_else(|| too_much().then_some(SessionLimit::Output))
    }

    /// What is used; processor time only if asked, for the kernel takes long to add it up over all processors.
    fn usage(&self, with_cpu: bool) -> Usage {
        let limits = self.bounds.limits();
        let counted = with_cpu.then(|| self.cgroup().cpu_time()).flatten();
        let by_tree = self.bounds.watches_memory().is_some()
            || self.bounds.watches_processes().is_some()
            || limits.written.is_some()
            || (limits.cpu_time.is_some() && counted.is_none());
        let usage = if by_tree { Usage::of(&tree::members(), limits.written.is_some()) } else { Usage::default() };
        Usage { cpu: counted.unwrap_or(usage.cpu), ..usage }
    }

    fn over(&self, usage: &Usage) -> Option<SessionLimit> {
        let (limits, cgroup, bounds) = (self.bounds.limits(), self.cgroup(), &self.bounds);
        let found = [
            (SessionLimit::Memory, cgroup.out_of_memory()),
            (SessionLimit::Processes, cgroup.out_of_processes()),
            (SessionLimit::Processes, bounds.watches_processes().is_some_and(|most| usage.threads >= most)),
            (SessionLimit::FileSize, self.too_large && limits.file_bytes.is_some()),
            (SessionLimit::CpuTime, limits.cpu_time.is_some_and(|most| usage.cpu >= most.as_duration())),
            (SessionLimit::Written, limits.written.is_some_and(|most| usage.written > most)),
        ];
        // The memory of a tree at last, for to be exact takes long.
        let outgrown = |most| usage.resident > most && usage::exceeds(&tree::members(), most);
        let memory = || bounds.watches_memory().is_some_and(outgrown).then_some(SessionLimit::Memory);
        found.into_iter().find_map(|(limit, over)| over.then_some(limit)).or_else(memory)
    }
}
