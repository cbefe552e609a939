//! A session that writes much more than anybody keeps steps back for all others of its host, until it is calm again.
//!
//! Whoever writes as fast as the processors allow, and the holder that reads it, would else have as large a share of them as a node that has to
//! start a session, and fifty of those nearly all. Nothing is taken from a flood that is alone.

use super::tree;
use crate::kernel::proc_file;
use rustix::process::{Pid, setpriority_process};
use std::fs;
use std::time::Instant;

/// What a session may write in a second without being called a flood, in bytes.
const CALM: u64 = 8 << 20;
/// How much more than that it may write at once.
const BURST: u64 = 32 << 20;
/// The last of the kernel's priorities (sched(7): nice values).
const LAST: i32 = 19;
/// The one that processes have when nobody says otherwise.
const ORDINARY: i32 = 0;

/// What became of the session's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Flooding,
    Calm,
}

/// The pace of one session's output.
#[derive(Debug)]
pub(super) struct Flood {
    /// What was written beyond what is calm, and when that was reckoned.
    level: u64,
    at: Instant,
    /// All that was written until then.
    total: u64,
    flooding: bool,
}

impl Flood {
    pub(super) const fn new(now: Instant) -> Self {
        Self { level: 0, at: now, total: 0, flooding: false }
    }

    /// Takes note of how much was written so far, and has the session step back or forward when that changes what it is.
    pub(super) fn see(&mut self, now: Instant, total: u64) {
        match self.turn(now, total) {
            Some(Turn::Flooding) => set(LAST),
            Some(Turn::Calm) => set(ORDINARY),
            None => {}
        }
    }

    fn turn(&mut self, now: Instant, total: u64) -> Option<Turn> {
        let written = total.saturating_sub(self.total);
        let millis = u64::try_from(now.saturating_duration_since(self.at).as_millis()).unwrap_or(u64::MAX);
        // What passed is not reckoned before there is a millisecond of it, or none ever would be.
        if millis > 0 {
            self.at = now;
        }
        self.total = total;
        let before = self.level.saturating_sub(millis.saturating_mul(CALM) / 1000);
        self.level = before.saturating_add(written).min(2 * BURST);
        let turn = match self.flooding {
            false if self.level > BURST => Turn::Flooding,
            true if self.level == 0 => Turn::Calm,
            _ => return None,
        };
        self.flooding = turn == Turn::Flooding;
        Some(turn)
    }
}

/// Gives this process and its descendants a priority. A host on which we are nobody lets it only be lowered, and then that is how it stays.
fn set(priority: i32) {
    let _ = setpriority_process(None, priority);
    let own = autogroup("self");
    for pid in tree::members() {
        let _ = setpriority_process(Pid::from_raw(pid), priority);
        // Where the kernel groups processes by their sessions (sched(7), autogroup), the groups are what has a share.
        let group = autogroup(&pid.to_string());
        if group.is_some() && group != own {
            let _ = fs::write(format!("/proc/{pid}/autogroup"), priority.to_string());
        }
    }
}

/// The name of a process's group: `/autogroup-25 nice 0` begins with it.
fn autogroup(pid: &str) -> Option<String> {
    let line = proc_file::read(format!("/proc/{pid}/autogroup")).ok()?;
    line.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn who_writes_much_in_little_time_floods_until_it_has_been_calm_for_as_long() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        assert_eq!(flood.turn(after(start, 100), BURST), None);
        assert_eq!(flood.turn(after(start, 200), 2 * BURST), Some(Turn::Flooding));
        assert_eq!(flood.turn(after(start, 300), 9 * BURST), None, "it is told once");
        assert_eq!(flood.turn(after(start, 7_000), 9 * BURST), None);
        assert_eq!(flood.turn(after(start, 9_000), 9 * BURST), Some(Turn::Calm));
    }

    #[test]
    fn who_writes_steadily_or_once_is_no_flood_however_often_it_is_looked_at() {
        let start = Instant::now();
        let (mut steady, mut once) = (Flood::new(start), Flood::new(start));
        for millis in 0..60_000 {
            assert_eq!(steady.turn(after(start, millis), millis * (CALM / 1000)), None);
            assert_eq!(once.turn(after(start, millis), BURST), None);
        }
    }

    #[test]
    fn looks_within_one_millisecond_lose_no_time() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        for micros in 0..1_000_000_u64 {
            assert_eq!(flood.turn(start + Duration::from_micros(100 * micros), micros * (CALM / 10_000)), None);
        }
    }
}
