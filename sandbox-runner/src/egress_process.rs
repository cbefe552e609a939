//! The proxy of a session whose network is a list of hosts, as a process of its own, forked by the holder: it talks to hostile programs
//! and to the outside at once, so it is given nothing but the listener and a pipe for what it refuses.
//!
//! The listener is in nobody's hands but the proxy's. When that dies the session has no network, and when the holder dies both do.

mod confine;

use crate::kernel::descriptor::set_nonblocking;
use crate::kernel::process::{self, PidFd};
use capstan_egress::Bounds;
use capstan_types::launch::Denial;
use capstan_types::policy::HostRule;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// What the proxy says once it is confined. Anything else is why it could not be.
const READY: &str = "ready";

/// A proxy that serves. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct EgressProcess {
    pid: libc::pid_t,
    handle: PidFd,
    denials: File,
    /// What was read of a line that is not complete.
    begun: Vec<u8>,
}

impl EgressProcess {
    /// Starts a proxy on `listener`, which lies in the session's network namespace. It dials from the caller's.
    ///
    /// # Errors
    /// The proxy could not be made, or not be confined; then there is none, and the listener is closed.
    pub(crate) fn start(listener: OwnedFd, rules: Vec<HostRule>) -> io::Result<Self> {
        let (denials, tell) = io::pipe()?;
        let (mut ready, report) = io::pipe()?;
        // Neither waits for the other: the proxy tells less in all than a pipe holds.
        set_nonblocking(denials.as_fd())?;
        set_nonblocking(tell.as_fd())?;
        let holder = std::process::id();
        let Some(pid) = process::fork()? else { become_proxy(listener, rules, tell.into(), report.into(), holder) };
        drop((listener, tell, report));
        let proxy = Self { pid, handle: PidFd::open(pid)?, denials: OwnedFd::from(denials).into(), begun: Vec::new() };
        let mut said = String::new();
        ready.read_to_string(&mut said)?;
        if said == READY { Ok(proxy) } else { Err(io::Error::other(format!("the network's proxy did not start: {said}"))) }
    }

    /// Readable when something was refused, or when the proxy has died.
    pub(crate) fn wakes_by(&self) -> RawFd {
        self.denials.as_raw_fd()
    }

    /// What was refused since the last time, without waiting; and whether the proxy is still there to refuse more.
    pub(crate) fn refused(&mut self) -> (Vec<Denial>, bool) {
        let mut buffer = [0; 4096];
        let alive = loop {
            match self.denials.read(&mut buffer) {
                Ok(0) => break false,
                Ok(count) => self.begun.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break error.kind() == io::ErrorKind::WouldBlock,
            }
        };
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.begun.drain(..whole).collect();
        (lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect(), alive)
    }
}

impl Drop for EgressProcess {
    fn drop(&mut self) {
        // By the handle: the number may have been reaped already, and be somebody else's now.
        if self.handle.signal(libc::SIGKILL).is_ok() {
            let _ = process::wait_for(self.pid);
        }
    }
}

fn become_proxy(listener: OwnedFd, rules: Vec<HostRule>, tell: OwnedFd, report: OwnedFd, holder: u32) -> ! {
    let kept = [listener.as_raw_fd(), tell.as_raw_fd(), report.as_raw_fd()];
    let said = match confine::confine(kept, holder) {
        Ok(()) => READY.to_owned(),
        Err((step, error)) => format!("{step}: {error}"),
    };
    let told = File::from(report).write_all(said.as_bytes());
    if told.is_ok() && said == READY {
        let tell = File::from(tell);
        let report = move |denial| {
            if let Ok(line) = serde_json::to_string(&denial) {
                // In one write, so that no line is cut by another.
                let _ = (&tell).write_all(format!("{line}\n").as_bytes());
            }
        };
        let _ = capstan_egress::serve(&TcpListener::from(listener), rules, report, Bounds::default());
    }
    process::end(1)
}

#[cfg(test)]
mod tests;
