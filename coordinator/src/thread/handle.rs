//! What a thread's actor holds of its running turn.

use super::context::TurnContext;
use super::steer::Steering;
use super::tally::Tally;
use capstan_types::thread::OnInterrupt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// What a thread's actor and its running turn share.
#[derive(Debug, Clone, Default)]
pub struct TurnHandle {
    /// Cancelled to interrupt the turn.
    pub interrupt: CancellationToken,
    /// Set once the turn's end has its place in the log, to what the thread has used then: from there on the next turn may
    /// begin, even if this one still tells nodes to forget its sessions.
    pub ended: Arc<OnceLock<Tally>>,
    /// Set once it is stored that the turn changed the thread's settings, to what later turns run with.
    pub changed: Arc<OnceLock<Arc<TurnContext>>>,
    /// What people say to the turn while it runs.
    pub steering: Steering,
    /// Whether whoever interrupts wants the turn's sessions ended.
    kill: Arc<AtomicBool>,
    /// Who interrupts, where it is not the user.
    by: Arc<OnceLock<String>>,
}

impl TurnHandle {
    /// Interrupts the turn. Who asks again may only ask for more.
    pub fn interrupt(&self, sessions: OnInterrupt) {
        if sessions == OnInterrupt::KillSessions {
            self.kill.store(true, Ordering::Release);
        }
        self.interrupt.cancel();
    }

    /// Interrupts the turn and ends its sessions, on somebody else's behalf than the user's.
    pub fn cancel(&self, by: &str) {
        if !self.interrupt.is_cancelled() {
            let _ = self.by.set(by.to_owned());
        }
        self.interrupt(OnInterrupt::KillSessions);
    }

    /// On whose behalf it was interrupted, where that is not the user.
    #[must_use]
    pub fn cancelled_by(&self) -> Option<&str> {
        self.by.get().map(String::as_str)
    }

    /// What becomes of the turn's sessions, once it is interrupted.
    #[must_use]
    pub fn on_interrupt(&self) -> OnInterrupt {
        if self.kill.load(Ordering::Acquire) { OnInterrupt::KillSessions } else { OnInterrupt::KeepSessions }
    }
}
