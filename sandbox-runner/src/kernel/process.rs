//! Processes: the runner's own standing, its children, and signals to them.
#![expect(unsafe_code, reason = "fork, _exit, getrusage, and signals of any number have no safe form in the libraries")]

use rustix::fs::Mode;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{self as calls, DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, set_dumpable_behavior};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    fn of(status: WaitStatus) -> Self {
        let code = || Self::Code(status.exit_status().unwrap_or_default());
        status.terminating_signal().map_or_else(code, Self::Signal)
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
    match calls::wait(WaitOptions::NOHANG) {
        Ok(None) => Ok(Reaped::NoneReady),
        Ok(Some((pid, status))) => Ok(Reaped::Child(pid.as_raw_pid(), ExitStatus::of(status))),
        Err(Errno::CHILD) => Ok(Reaped::Childless),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the child `pid` to end.
pub(crate) fn wait_for(pid: libc::pid_t) -> io::Result<ExitStatus> {
    let ended = retry_on_intr(|| calls::waitpid(Pid::from_raw(pid), WaitOptions::empty()))?;
    Ok(ExitStatus::of(ended.ok_or(Errno::CHILD)?.1))
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

/// Ends this process at once, and runs nothing of what it was a copy of.
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: takes an integer and touches no memory.
    unsafe { libc::_exit(code) }
}

/// This process.
pub(crate) fn own() -> libc::pid_t {
    calls::getpid().as_raw_pid()
}

/// The parent of this process.
pub(crate) fn parent() -> libc::pid_t {
    Pid::as_raw(calls::getppid())
}

/// Has the kernel kill this process when its parent dies, or no longer.
pub(crate) fn die_with_parent(wanted: bool) -> io::Result<()> {
    Ok(calls::set_parent_process_death_signal(wanted.then_some(Signal::KILL))?)
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
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        Ok(Self(calls::pidfd_open(pid, PidfdFlags::empty())?))
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
    Ok(calls::set_child_subreaper(Some(calls::getpid()))?)
}

/// Closes this process's memory and environment to others of the same user.
pub(crate) fn hide_memory() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Opens this process's memory to others of the same user, as the kernel wants before it lets them set a process up.
pub(crate) fn show_memory() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::Dumpable)?)
}

/// Leaves the caller's session and terminal. A process that leads a group already stays where it is, which only costs it the
/// terminal's signals, and those are ignored.
pub(crate) fn leave_session() {
    let _ = calls::setsid();
}

/// Sets which permissions new files are denied, and gives those that were.
pub(crate) fn set_umask(mask: libc::mode_t) -> libc::mode_t {
    calls::umask(Mode::from_raw_mode(mask)).as_raw_mode()
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
    let _ = calls::setpriority_process(None, -20);
}

/// How many bytes a page of memory has.
pub(crate) fn page_size() -> u64 {
    // SAFETY: takes an integer.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// The effective user and group.
pub(crate) fn owner() -> (u32, u32) {
    (user(), calls::getegid().as_raw())
}

/// The effective user.
pub(crate) fn user() -> u32 {
    calls::geteuid().as_raw()
}
