//! Signals as something to be read, so that one loop can wait for them beside its descriptors.
#![expect(unsafe_code, reason = "signal masks and signalfd have no safe form in the standard library")]

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// What the outside may tell a holder by signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A child has changed.
    Child,
    /// We are to go.
    Terminate,
    /// Something for the program, sent by a process and not by a terminal, which would have told the program itself.
    Other(i32),
}

/// What is passed on to a command that shares our terminal.
const PASSED_ON: [libc::c_int; 5] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2];

/// The signals that a holder acts on, blocked and read instead.
#[derive(Debug)]
pub(crate) struct Signals(File);

impl Signals {
    /// Blocks SIGCHLD and SIGTERM and reads them from here on. The mask is inherited: a child must reset it.
    pub(crate) fn open() -> io::Result<Self> {
        Self::of(&[libc::SIGCHLD, libc::SIGTERM])
    }

    /// As [`Signals::open`], and all that is passed on to a command as well.
    pub(crate) fn open_all() -> io::Result<Self> {
        Self::of(&[&[libc::SIGCHLD, libc::SIGTERM], PASSED_ON.as_slice()].concat())
    }

    fn of(numbers: &[libc::c_int]) -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigemptyset` initialises the set that the other calls read, and all pointers are live.
        let fd = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for number in numbers {
                libc::sigaddset(set.as_mut_ptr(), *number);
            }
            if libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) < 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, so nobody else owns it.
        Ok(Self(unsafe { File::from_raw_fd(fd) }))
    }

    /// The next signal, or nothing.
    pub(crate) fn next(&mut self) -> Option<Told> {
        let mut record = [0_u8; size_of::<libc::signalfd_siginfo>()];
        while matches!(self.0.read(&mut record), Ok(length) if length == record.len()) {
            let number = record.first_chunk::<4>().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
            // `ssi_code`, behind the number and an errno. The kernel's own are for the terminal's whole foreground, the program among it.
            let code = record.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
            match i32::try_from(number) {
                Ok(libc::SIGCHLD) => return Some(Told::Child),
                Ok(libc::SIGTERM) => return Some(Told::Terminate),
                Ok(other) if code <= 0 => return Some(Told::Other(other)),
                _ => {}
            }
        }
        None
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Sets SIGCHLD to its default. A caller that ignores it passes that on, and the kernel would then reap our children for us, together
/// with the status that we are here to see.
pub(crate) fn see_children() {
    // SAFETY: installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// What ends a process that only waits for work: it has not asked to be spared.
pub(crate) const DISMISSAL: libc::c_int = libc::SIGUSR1;

/// Is not to be dismissed any more.
pub(crate) fn ignore_dismissal() {
    ignore(DISMISSAL);
}

fn ignore(signal: libc::c_int) {
    // SAFETY: installs no handler, so nothing of ours runs in signal context.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Ignores what a terminal or a closed pipe would kill us with: a session must outlive its watchers.
pub(crate) fn ignore_hang_ups() {
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]
        .into_iter()
        .for_each(ignore);
}
