//! How far a drain is.

use crate::id::{SessionId, ThreadId};

/// How far a drain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainProgress {
    /// Where it stands.
    pub stage: DrainStage,
    /// Some of the sessions that run, the oldest first.
    pub running: Vec<RunningSession>,
    /// How many run in all.
    pub running_in_all: u32,
    /// Turns that run there.
    pub turns: u32,
    /// Sessions that were seen to run and have ended by themselves.
    pub ended: u32,
    /// Sessions that the drain has ended.
    pub cancelled: u32,
    /// Why it is not known what runs, if that is so.
    pub unknown: Option<String>,
}

/// Where a drain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainStage {
    /// What runs is let end.
    Waiting,
    /// The deadline has passed, and what runs is being cancelled.
    Cancelling,
    /// Nothing runs any more.
    Drained,
    /// The deadline has passed, and something runs on.
    Overdue,
    /// Somebody has ended the drain.
    CalledOff,
}

/// A session that keeps a node from being drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSession {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub thread: ThreadId,
    /// What it runs, in one line.
    pub command: String,
    /// When it was started.
    pub started_at_ms: u64,
}
