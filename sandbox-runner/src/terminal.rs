//! A session's terminal, as its holder sees it.
//!
//! It is opened in the session's own devpts where there is one, and its program's side is asked of the kernel by way of the master, so that
//! it is the right one whichever `/dev/pts` this process sees.
#![expect(unsafe_code, reason = "terminal requests have no safe form in the standard library")]

use capstan_types::launch::TermSize;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

/// The master side of a terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: File,
}

/// An open terminal: the holder's side and the program's.
pub(crate) type Pair = (Terminal, OwnedFd);

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

impl Terminal {
    /// Opens a terminal of `size`, by the multiplexer `ptmx` or else by the host's.
    pub(crate) fn open(size: TermSize, ptmx: Option<&OwnedFd>) -> io::Result<Pair> {
        // By its handle: the path would lead to another one from here.
        let path = ptmx.map_or_else(|| "/dev/ptmx".to_owned(), |fd| format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let master = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_CLOEXEC).open(path)?;
        let unlocked: libc::c_int = 0;
        // SAFETY: the descriptor is open, and the integer is live.
        checked(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) })?;
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
        // SAFETY: the request takes an integer and gives a new descriptor.
        let slave = checked(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) })?;
        // SAFETY: the descriptor is new, so nobody else owns it.
        let slave = unsafe { OwnedFd::from_raw_fd(slave) };
        let terminal = Self { master };
        terminal.resize(size);
        Ok((terminal, slave))
    }

    /// A handle on the master to read from or to write to.
    pub(crate) fn stream(&self) -> io::Result<File> {
        self.master.try_clone()
    }

    /// Changes the size, which the kernel tells the foreground by SIGWINCH.
    pub(crate) fn resize(&self, size: TermSize) {
        let size = libc::winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is open, and the struct is live. It fails only when the terminal is gone, and then nobody sees its size.
        unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    }

    /// The process group that the terminal's keys go to.
    pub(crate) fn foreground(&self) -> Option<libc::pid_t> {
        // SAFETY: takes an open descriptor.
        checked(unsafe { libc::tcgetpgrp(self.master.as_raw_fd()) }).ok().filter(|group| *group > 0)
    }

    /// What has to be typed to end the input when `last` is the last byte typed: the end-of-file character, twice in the middle of
    /// a line, where the first only ends the line. Without line editing it is a byte like any other, and typed once.
    pub(crate) fn end_of_file(&self, last: Option<u8>) -> Vec<u8> {
        let mut modes = MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the descriptor is open, and the kernel fills the struct when it reports success.
        if unsafe { libc::tcgetattr(self.master.as_raw_fd(), modes.as_mut_ptr()) } < 0 {
            return Vec::new();
        }
        // SAFETY: filled by the call above.
        let modes = unsafe { modes.assume_init() };
        let Some(key) = modes.c_cc.get(libc::VEOF).copied() else {
            return Vec::new();
        };
        let edited = modes.c_lflag & libc::ICANON != 0;
        let line_is_begun = edited && !matches!(last, None | Some(b'\n'));
        vec![key; if line_is_begun { 2 } else { 1 }]
    }
}
