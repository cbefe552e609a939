//! What is written down.

use capstan_types::id::{Attempt, CallId, Epoch, SessionId, ThreadId};
use capstan_types::launch::{Enforced, SessionEnd, Stdio};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::StartCall;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// How much of a command line is kept, in bytes: it is for people to read.
const LONGEST_ARGV: usize = 2048;

/// One thing that happened. New kinds may come; the format's version changes when one changes its meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Entry {
    /// A life of the node began.
    Life { generation: u64 },
    /// A thread has an owner with this epoch.
    Epoch { thread: ThreadId, epoch: Epoch },
    /// A session is about to be asked of the runner.
    Asked(Box<Intent>),
    /// It runs. Without the proof where that was lost.
    Runs { session: SessionId, enforced: Option<Box<Enforced>> },
    /// Nothing was started.
    Nothing { session: SessionId },
    /// What came of it is not known, and never will be.
    Lost { session: SessionId, reason: String },
    /// It ended.
    Ended { session: SessionId, end: SessionEnd },
    /// Nobody wants it any more.
    Released { session: SessionId },
    /// A try of a call that is over, after everything else about it has been dropped. `lost` says why its outcome is not known.
    ///
    /// Written ahead of a patch as well: its report is not kept, so that another life knows no more than that it was begun.
    Over { thread: ThreadId, call: CallId, attempt: Attempt, lost: Option<String> },
    /// A patch that was begun changed nothing.
    Unchanged { thread: ThreadId, call: CallId, attempt: Attempt },
}

impl Entry {
    /// Whether it is written ahead of something new. All others tell what has come of something, and must find room on a full disk.
    pub(crate) const fn begins(&self) -> bool {
        matches!(self, Self::Asked(_) | Self::Over { lost: Some(_), .. })
    }

    /// Whether it must survive a loss of power as soon as it is written. That a session was released need not: nobody asks for it again, and
    /// a host that comes back without that word finds no directory, or one with an end.
    pub(super) const fn outlives_the_host(&self) -> bool {
        !matches!(self, Self::Released { .. })
    }
}

/// A session that is to be, and all that another life of the node needs to take it over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) session: SessionId,
    pub(crate) thread: ThreadId,
    pub(crate) call: CallId,
    pub(crate) attempt: Attempt,
    pub(crate) epoch: Epoch,
    /// The life in which it was asked for.
    pub(crate) generation: u64,
    /// By the host's clock, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// Cut to some KiB.
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: AbsPath,
    pub(crate) stdio: Stdio,
    pub(crate) policy: SandboxPolicy,
}

impl Intent {
    pub(crate) fn new(session: SessionId, generation: u64, call: &StartCall) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            session,
            thread: call.authority.thread,
            call: call.call,
            attempt: call.attempt,
            epoch: call.authority.epoch,
            generation,
            at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            argv: cut(&call.argv),
            cwd: call.cwd.clone(),
            stdio: call.stdio,
            policy: call.policy.clone(),
        }
    }
}

/// The command line as far as it is kept, with a mark where it was cut.
fn cut(argv: &[String]) -> Vec<String> {
    let mut room = LONGEST_ARGV;
    let mut kept = Vec::new();
    for argument in argv {
        if argument.len() > room {
            kept.push(format!("{}…", &argument[..argument.floor_char_boundary(room)]));
            break;
        }
        room -= argument.len();
        kept.push(argument.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_line_is_cut_between_characters() {
        assert_eq!(cut(&["a".into(), "b".into()]), ["a", "b"]);
        let long = cut(&["sh".into(), "ä".repeat(5000), "never".into()]);
        assert_eq!(long.len(), 2);
        assert!(long[1].ends_with("ä…") && long[1].len() < LONGEST_ARGV + 4);
    }
}
