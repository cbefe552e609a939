//! The node's hold on a holder: how it is waited for, and how it is made to go.
//!
//! Invariant: a holder is asked before it is killed. Only a holder can find its session's whole tree; killed at once, it would leave
//! all but the program itself behind, with nobody to enforce a limit on it.

use crate::session::ending;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

/// A process that holds a session.
#[derive(Debug)]
pub(crate) enum Holder {
    /// A child of this process. The runtime reaps it.
    Started(Child),
    /// A child of the runner's fork server, or of an earlier life of the node. The handle means this process for ever, however its number
    /// is used.
    Known(AsyncFd<OwnedFd>),
    /// It has ended before.
    Gone,
}

impl Holder {
    /// The holder `pid`. To be called while it cannot have ended, or to be proved right afterwards.
    #[expect(deprecated, reason = "what replaces it is unsafe, for types that lie about their descriptor; an OwnedFd does not")]
    pub(crate) fn known(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::Known(AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::empty())?, Interest::READABLE)?))
    }

    /// Asks it to end its session and then itself, and does not wait: for a keeper that is being dropped.
    pub(crate) fn ask(&self) {
        if let Self::Started(child) = self {
            ending::ask(child);
        }
        // It fails when the holder has ended, which is as good.
        self.signal(Signal::TERM);
    }

    /// Lets it go on, if somebody has stopped it.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Signals one that is no child of ours; the runtime knows best about those.
    fn signal(&self, signal: Signal) {
        if let Self::Known(handle) = self {
            let _ = pidfd_send_signal(handle.get_ref(), signal);
        }
    }

    /// Asks it to end, waits until it has, and kills it when it does not.
    pub(crate) async fn end(&mut self) {
        if let Self::Started(child) = self {
            return ending::end(child).await;
        }
        self.ask();
        if tokio::time::timeout(ending::GRACE, self.wait()).await.is_err() {
            self.signal(Signal::KILL);
            // Not without end: a process that hangs in the kernel dies when the kernel lets it.
            let _ = tokio::time::timeout(ending::GRACE, self.wait()).await;
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self) {
        match self {
            Self::Started(child) => drop(child.wait().await),
            // It becomes readable when the process has ended, whoever reaps it.
            Self::Known(handle) => drop(handle.readable().await),
            Self::Gone => {}
        }
    }
}
