//! The node's hold on a holder: how it is waited for, and how it is made to go.
//!
//! Invariant: a holder is asked before it is killed. Only a holder can find its session's whole tree; killed at once, it would leave
//! all but the program itself behind, with nobody to enforce a limit on it.

use crate::session::ending;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, Interest};
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
    /// A holder of an earlier life of the node, whose child it was.
    Adopted(AsyncFd<OwnedFd>),
    /// It has ended before.
    Gone,
}

impl Holder {
    /// The holder `pid` of the fork server, which keeps the other end of `life` open for as long as it lives. To be called while it
    /// cannot have ended.
    pub(crate) fn served(pid: u32, life: UnixStream) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::Served { handle: pidfd_open(pid, PidfdFlags::empty())?, life })
    }

    /// The holder `pid`. To be called while it cannot have ended, or to be proved right afterwards.
    #[expect(deprecated, reason = "what replaces it is unsafe, for types that lie about their descriptor; an OwnedFd does not")]
    pub(crate) fn adopted(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::Adopted(AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::empty())?, Interest::READABLE)?))
    }

    /// Asks it to end its session and then itself, and does not wait: for a keeper that is being dropped.
    pub(crate) fn ask(&self) {
        match self {
            Self::Started(child) => ending::ask(child),
            // It fails when the holder has ended, which is as good.
            Self::Served { handle, .. } => drop(pidfd_send_signal(handle, Signal::TERM)),
            Self::Adopted(handle) => drop(pidfd_send_signal(handle.get_ref(), Signal::TERM)),
            Self::Gone => {}
        }
    }

    /// Lets it go on, if somebody has stopped it.
    pub(crate) fn resume(&self) {
        if let Self::Adopted(handle) = self {
            let _ = pidfd_send_signal(handle.get_ref(), Signal::CONT);
        }
    }

    fn kill(&self) {
        match self {
            Self::Served { handle, .. } => drop(pidfd_send_signal(handle, Signal::KILL)),
            Self::Adopted(handle) => drop(pidfd_send_signal(handle.get_ref(), Signal::KILL)),
            // The runtime kills a child of ours: see [`ending::end`].
            Self::Started(_) | Self::Gone => {}
        }
    }

    /// Asks it to end, waits until it has, and kills it when it does not.
    pub(crate) async fn end(&mut self) {
        if let Self::Started(child) = self {
            return ending::end(child).await;
        }
        self.ask();
        if tokio::time::timeout(ending::GRACE, self.wait()).await.is_err() {
            self.kill();
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
            // It becomes readable when the process has ended, whoever reaps it.
            Self::Adopted(handle) => drop(handle.readable().await),
            Self::Gone => {}
        }
    }
}
