//! The node's hold on a holder: how it is waited for, and how it is made to go.
//!
//! Invariant: a holder is asked before it is killed. Only a holder can find its session's whole tree; killed at once, it would leave
//! all but the program itself behind, with nobody to enforce a limit on it.

use crate::session::ending;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::Child;

/// A process that holds a session.
#[derive(Debug)]
pub(crate) enum Holder {
    /// A child of this process. The runtime reaps it.
    Started(Child),
    /// A child of the runner's fork server, which reaps it.
    Served {
        /// Means this process for ever, however its number is used.
        handle: OwnedFd,
        /// Closed by the holder when it ends.
        life: UnixStream,
    },
}

impl Holder {
    /// The holder `pid` of the fork server, which keeps the other end of `life` open for as long as it lives. To be called while it
    /// cannot have ended.
    pub(crate) fn served(pid: u32, life: UnixStream) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::Served { handle: pidfd_open(pid, PidfdFlags::empty())?, life })
    }

    /// Asks it to end its session and then itself, and does not wait: for a keeper that is being dropped.
    pub(crate) fn ask(&self) {
        match self {
            Self::Started(child) => ending::ask(child),
            // It fails when the holder has ended, which is as good.
            Self::Served { handle, .. } => drop(pidfd_send_signal(handle, Signal::TERM)),
        }
    }

    /// Asks it to end, waits until it has, and kills it when it does not.
    pub(crate) async fn end(&mut self) {
        if let Self::Started(child) = self {
            return ending::end(child).await;
        }
        self.ask();
        if tokio::time::timeout(ending::GRACE, self.wait()).await.is_err()
            && let Self::Served { handle, .. } = &*self
        {
            let _ = pidfd_send_signal(handle, Signal::KILL);
            // Not without end: a process that hangs in the kernel dies when the kernel lets it.
            let _ = tokio::time::timeout(ending::GRACE, self.wait()).await;
        }
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self) {
        match self {
            Self::Started(child) => drop(child.wait().await),
            // It sends nothing more: what comes is the end.
            Self::Served { life, .. } => drop(life.read(&mut [0]).await),
        }
    }
}
