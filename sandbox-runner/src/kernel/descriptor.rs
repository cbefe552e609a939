//! File descriptors: waiting for several at once, and the three that every program has.
#![expect(unsafe_code, reason = "close_range has no safe form, and a poll of descriptors that change owners neither")]

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// The number after standard error: what is from here on is nobody's but the runner's.
pub(crate) const FIRST_PRIVATE: u32 = 3;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Makes reads and writes through `fd` return instead of waiting.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)?)
}

/// Closes every descriptor beyond the standard three, so that nothing a careless caller left open is held for a session's life.
pub(crate) fn close_inherited() -> io::Result<()> {
    // SAFETY: called before this process has opened anything of its own, so no owner loses its descriptor.
    checked(unsafe { libc::close_range(FIRST_PRIVATE, libc::c_uint::MAX, 0) }).map(drop)
}

/// Connects the standard three to `/dev/null`, so that whoever started us is not kept waiting for their end.
pub(crate) fn detach_standard_streams() -> io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    Ok(dup2_stderr(&null)?)
}

/// The descriptors of one wait, and what became ready.
#[derive(Debug, Default)]
pub(crate) struct PollSet {
    entries: Vec<libc::pollfd>,
}

/// What is ready at one descriptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Reading would not wait: there are bytes, the end, or an error.
    pub(crate) readable: bool,
    /// Writing would not wait.
    pub(crate) writable: bool,
    /// The other side is gone.
    pub(crate) hung_up: bool,
}

/// What to wait for at a descriptor. That its other side is gone is always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Only that the other side is gone.
    HangUp,
    /// That it can be read.
    Read,
    /// That it can be written.
    Write,
    /// Either.
    ReadWrite,
}

impl PollSet {
    /// Forgets all descriptors, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Adds a descriptor and gives its place, for [`PollSet::ready`].
    pub(crate) fn add(&mut self, fd: RawFd, interest: Interest) -> usize {
        let events = match interest {
            Interest::HangUp => 0,
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
            Interest::ReadWrite => libc::POLLIN | libc::POLLOUT,
        };
        self.entries.push(libc::pollfd { fd, events, revents: 0 });
        self.entries.len() - 1
    }

    /// Waits until something is ready or `timeout` has passed; `None` waits without end. A signal ends the wait early.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // Rounded up: a wait that ends a moment before its deadline would spin until the deadline.
        let millis = timeout.map_or(-1, |t| i32::try_from(t.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
        let count = libc::nfds_t::try_from(self.entries.len()).unwrap_or(0);
        // SAFETY: the pointer and count are those of one live vector.
        match checked(unsafe { libc::poll(self.entries.as_mut_ptr(), count, millis) }) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.entries.iter_mut().for_each(|entry| entry.revents = 0);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What the last wait found at `place`.
    pub(crate) fn ready(&self, place: usize) -> Ready {
        let found = self.entries.get(place).map_or(0, |entry| entry.revents);
        let any = |events: libc::c_short| found & events != 0;
        Ready {
            readable: any(libc::POLLIN | libc::POLLHUP | libc::POLLERR),
            writable: any(libc::POLLOUT | libc::POLLERR),
            hung_up: any(libc::POLLHUP | libc::POLLERR | libc::POLLNVAL),
        }
    }
}
