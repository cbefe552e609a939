//! Processes: the runner's own standing, its children, and signals to them.
#![expect(unsafe_code, reason = "wait, kill, pidfd and prctl have no safe form in the standard library")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    fn of(status: libc::c_int) -> Self {
        if libc::WIFSIGNALED(status) { Self::Signal(libc::WTERMSIG(status)) } else { Self::Code(libc::WEXITSTATUS(status)) }
    }
}

/// What a look at the children found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaped {
    /// This child has ended, and is gone now.
    Child(libc::pid_t, ExitStatus),
    /// All children run.
    NoneReady,
    /// There is no child at all; for a subreaper, no descendant either.
    Childless,
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Takes note of one ended child, without waiting for one.
pub(crate) fn reap_any() -> io::Result<Reaped> {
    let mut status = 0;
    // SAFETY: `status` is a live integer.
    match checked(unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) }) {
        Ok(0) => Ok(Reaped::NoneReady),
        Ok(pid) => Ok(Reaped::Child(pid, ExitStatus::of(status))),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(Reaped::Childless),
        Err(error) => Err(error),
    }
}

/// Waits for the child `pid` to end.
pub(crate) fn wait_for(pid: libc::pid_t) -> io::Result<ExitStatus> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is a live integer.
        match checked(unsafe { libc::waitpid(pid, &raw mut status, 0) }) {
            Ok(_) => return Ok(ExitStatus::of(status)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes a second process of this one, for a program with one thread only: nothing in the first may be in the middle of something. The
/// number of the new process, or nothing in the new process.
pub(crate) fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: this program has one thread, so the child may go on with all of its memory.
    match checked(unsafe { libc::fork() })? {
        0 => Ok(None),
        pid => Ok(Some(pid)),
    }
}

/// This process.
pub(crate) fn own() -> libc::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getpid() }
}

/// The parent of this process.
pub(crate) fn parent() -> libc::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getppid() }
}

/// Has the kernel kill this process when its parent dies, or no longer.
pub(crate) fn die_with_parent(wanted: bool) -> io::Result<()> {
    let signal = if wanted { libc::SIGKILL } else { 0 };
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0) }).map(drop)
}

/// Sends a signal to a process; a negative number names a process group.
pub(crate) fn kill(pid: libc::pid_t, signal: i32) -> io::Result<()> {
    // SAFETY: takes two integers.
    checked(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// A handle on a process that cannot come to mean another one when its number is used again.
#[derive(Debug)]
pub(crate) struct PidFd(OwnedFd);

impl PidFd {
    /// The handle of the process that has this number now.
    pub(crate) fn open(pid: libc::pid_t) -> io::Result<Self> {
        // SAFETY: takes two integers and gives a new descriptor or an error.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = checked(i32::try_from(fd).unwrap_or(-1))?;
        // SAFETY: the descriptor is new, so nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Takes over a descriptor that the kernel gave as a process handle.
    pub(crate) const fn from_owned(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Whether the process is still there.
    pub(crate) fn is_there(&self) -> bool {
        // Signal 0 is sent to nobody. That we may not signal a process says that there is one.
        self.signal(0).map_or_else(|error| error.kind() == io::ErrorKind::PermissionDenied, |()| true)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: i32) -> io::Result<()> {
        // SAFETY: the descriptor is open, and a null `siginfo` is allowed.
        let sent = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0)
        };
        checked(i32::try_from(sent).unwrap_or(-1)).map(drop)
    }
}

/// Makes orphaned descendants ours, so that none can leave the tree by losing its parent.
pub(crate) fn become_subreaper() -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
}

/// Closes this process's memory and environment to others of the same user.
pub(crate) fn hide_memory() -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }).map(drop)
}

/// Opens this process's memory to others of the same user, as the kernel wants before it lets them set a process up.
pub(crate) fn show_memory() -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }).map(drop)
}

/// Leaves the caller's session and terminal. A process that leads a group already stays where it is, which only costs it the
/// terminal's signals, and those are ignored.
pub(crate) fn leave_session() {
    // SAFETY: takes nothing and touches no memory.
    let _ = unsafe { libc::setsid() };
}

/// Sets which permissions new files are denied, and gives those that were.
pub(crate) fn set_umask(mask: libc::mode_t) -> libc::mode_t {
    // SAFETY: takes an integer and cannot fail.
    unsafe { libc::umask(mask) }
}

/// The most memory, in bytes, that any one process held of those that were waited for below this one.
pub(crate) fn largest_child() -> u64 {
    // SAFETY: the struct is plain numbers, for which zero is valid, and the kernel fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}

/// Goes before others for the processor, where we may: whoever is to end thousands of processes competes with them all.
pub(crate) fn hurry() {
    // SAFETY: takes integers only.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) };
}

/// How many bytes a page of memory has.
pub(crate) fn page_size() -> u64 {
    // SAFETY: takes an integer.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The effective user and group.
pub(crate) fn owner() -> (u32, u32) {
    // SAFETY: takes nothing and cannot fail.
    (user(), unsafe { libc::getegid() })
}

/// The effective user.
pub(crate) fn user() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}
