//! A terminal of this process's own.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A terminal's two sides.
#[expect(unsafe_code, reason = "the standard library cannot open terminals")]
pub(crate) fn terminal() -> (File, OwnedFd) {
    // SAFETY: the calls take integers; each result is checked, and owned from then on.
    unsafe {
        let master = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(master >= 0, "the host has terminals");
        let master = File::from_raw_fd(master);
        assert_eq!(libc::grantpt(master.as_raw_fd()) | libc::unlockpt(master.as_raw_fd()), 0, "a terminal can be unlocked");
        let slave = libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(slave >= 0, "a terminal has two sides");
        (master, OwnedFd::from_raw_fd(slave))
    }
}
