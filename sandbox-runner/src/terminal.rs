//! A session's terminal, as its holder sees it.
//!
//! Opened, sized, read and written by portable-pty; the program's side is asked of the kernel by way of the master, so that it is the
//! right one whichever `/dev/pts` this process sees. portable-pty's own way to start programs is not used: see [`crate::launch`].
#![expect(unsafe_code, reason = "terminal requests have no safe form in the standard library")]

use capstan_types::launch::TermSize;
use portable_pty::{MasterPty, PtySize, native_pty_system};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The master side of a terminal.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// The same side, for reading, writing and requests.
    wire: OwnedFd,
}

/// An open terminal: the holder's side and the program's.
pub(crate) type Pair = (Terminal, OwnedFd);

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

const fn cells(size: TermSize) -> PtySize {
    PtySize { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Opens a terminal of `size`.
    pub(crate) fn open(size: TermSize) -> io::Result<Pair> {
        let pair = native_pty_system().openpty(cells(size)).map_err(io::Error::other)?;
        let master = pair.master.as_raw_fd().ok_or_else(|| io::Error::other("the terminal has no descriptor"))?;
        // SAFETY: the master is open and owned by `pair` until the end of this function.
        let wire = unsafe { BorrowedFd::borrow_raw(master) }.try_clone_to_owned()?;
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
        // SAFETY: the request takes an integer and gives a new descriptor.
        let slave = checked(unsafe { libc::ioctl(wire.as_raw_fd(), libc::TIOCGPTPEER, flags) })?;
        // SAFETY: the descriptor is new, so nobody else owns it.
        let slave = unsafe { OwnedFd::from_raw_fd(slave) };
        Ok((Self { master: pair.master, wire }, slave))
    }

    /// A handle on the master to read from or to write to.
    pub(crate) fn stream(&self) -> io::Result<File> {
        self.wire.try_clone().map(File::from)
    }

    /// Changes the size, which the kernel tells the foreground by SIGWINCH.
    pub(crate) fn resize(&self, size: TermSize) {
        // Fails only when the terminal is gone, and then there is nobody to see its size.
        let _ = self.master.resize(cells(size));
    }

    /// The process group that the terminal's keys go to.
    pub(crate) fn foreground(&self) -> Option<libc::pid_t> {
        self.master.process_group_leader()
    }

    /// What has to be typed to end the input when `last` is the last byte typed: the end-of-file character, twice in the middle of
    /// a line, where the first only ends the line. Without line editing it is a byte like any other, and typed once.
    pub(crate) fn end_of_file(&self, last: Option<u8>) -> Vec<u8> {
        let mut modes = MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the descriptor is open, and the kernel fills the struct when it reports success.
        if unsafe { libc::tcgetattr(self.wire.as_raw_fd(), modes.as_mut_ptr()) } < 0 {
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

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("wire", &self.wire).finish_non_exhaustive()
    }
}
