//! A session's terminal, as its holder sees it.
//!
//! It is opened in the session's own devpts where there is one, and its program's side is asked of the kernel by way of the master, so that
//! it is the right one whichever `/dev/pts` this process sees.

use capstan_types::launch::TermSize;
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{LocalModes, SpecialCodeIndex, Winsize, tcgetattr, tcgetpgrp, tcsetwinsize};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The master side of a terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: File,
}

/// An open terminal: the holder's side and the program's.
pub(crate) type Pair = (Terminal, OwnedFd);

impl Terminal {
    /// Opens a terminal of `size`, by the multiplexer `ptmx` or else by the host's.
    pub(crate) fn open(size: TermSize, ptmx: Option<&OwnedFd>) -> io::Result<Pair> {
        // By its handle: the path would lead to another one from here.
        let path = ptmx.map_or_else(|| "/dev/ptmx".to_owned(), |fd| format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let master = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).map(File::from)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
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
        // It fails only when the terminal is gone, and then nobody sees its size.
        let _ = tcsetwinsize(&self.master, Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 });
    }

    /// The process group that the terminal's keys go to.
    pub(crate) fn foreground(&self) -> Option<libc::pid_t> {
        tcgetpgrp(&self.master).ok().map(Pid::as_raw_pid)
    }

    /// What has to be typed to end the input when `last` is the last byte typed: the end-of-file character, twice in the middle of
    /// a line, where the first only ends the line. Without line editing it is a byte like any other, and typed once.
    pub(crate) fn end_of_file(&self, last: Option<u8>) -> Vec<u8> {
        let Ok(modes) = tcgetattr(&self.master) else { return Vec::new() };
        let (key, edited) = (modes.special_codes[SpecialCodeIndex::VEOF], modes.local_modes.contains(LocalModes::ICANON));
        let line_is_begun = edited && !matches!(last, None | Some(b'\n'));
        vec![key; if line_is_begun { 2 } else { 1 }]
    }
}
