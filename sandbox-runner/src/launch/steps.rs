//! The steps of a child, one by one. Each that fails says which it was, and the errno.
#![expect(unsafe_code, reason = "between fork and exec there are only system calls")]

use crate::kernel::descriptor::FIRST_PRIVATE;
use crate::kernel::privileges;
use crate::launch::Streams;
use crate::launch::fault::{Fault, Step};
use crate::owners::User;
use crate::rlimits::ResourceLimits;
use crate::ruleset::Ruleset;
use crate::seccomp::BpfProgram;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

const HIGHEST_SIGNAL: i32 = 64;
const SIGNAL_SET_BYTES: usize = 8;

/// The fault of a step that failed with an error of the standard library's.
pub(super) fn step(step: Step) -> impl Fn(io::Error) -> Fault {
    move |error| Fault::from((step, error))
}

/// The keys of whoever started us stay theirs.
pub(super) fn join_fresh_keyring() -> Result<(), Fault> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: without a name the kernel reads no pointer.
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0) };
    match check(Step::Keyring, if joined < 0 { -1 } else { 0 }) {
        // Without key management there are no keys to be kept from anybody; and a container's filter keeps them from us as well.
        Err(fault) if matches!(fault.errno, libc::ENOSYS | libc::EPERM) => Ok(()),
        done => done,
    }
}

pub(super) fn errno() -> i32 {
    // SAFETY: glibc and musl give a valid pointer for the calling thread.
    unsafe { *libc::__errno_location() }
}

fn check(step: Step, result: libc::c_int) -> Result<(), Fault> {
    if result < 0 { Err(Fault { step, errno: errno() }) } else { Ok(()) }
}

/// Each is told that this very process comes.
pub(super) fn join(cgroups: &[RawFd]) -> Result<(), Fault> {
    for group in cgroups {
        // SAFETY: the buffer is live and one byte long.
        let written = unsafe { libc::write(*group, b"0".as_ptr().cast(), 1) };
        check(Step::Cgroups, libc::c_int::try_from(written).unwrap_or(-1))?;
    }
    Ok(())
}

/// The kernel kills the program when the holder dies, for nobody could bound it then. It does so for the program alone: what that has
/// started lives on when somebody kills the holder with SIGKILL. Whoever wants the whole tree gone sends the holder SIGTERM. The holder has one thread, so the death of a
/// mere thread, for which the kernel would do the same, cannot be meant.
pub(super) fn die_with(parent: u32) -> Result<(), Fault> {
    // SAFETY: takes integers only.
    check(Step::Parent, unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) })?;
    // SAFETY: takes nothing and cannot fail.
    let now = unsafe { libc::getppid() };
    // A parent that died before the line above would be waited for in vain.
    if u32::try_from(now) == Ok(parent) { Ok(()) } else { Err(Fault { step: Step::Parent, errno: libc::ESRCH }) }
}

/// Ignored signals and the mask outlive exec, and a program that ignores SIGPIPE without knowing it never ends.
pub(super) fn reset_signals() {
    // The kernel's own struct, all zero: the default handler, no flags, no mask. By the bare call, because C libraries keep two signals
    // to themselves and would not change those, though a caller may have left them ignored.
    let default = [0_usize; 4];
    for signal in 1..=HIGHEST_SIGNAL {
        // SAFETY: the struct is live. It fails for those that cannot be changed, which are at their default then.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), std::ptr::null_mut::<usize>(), SIGNAL_SET_BYTES)
        };
    }
    // SAFETY: `sigemptyset` initialises the set before it is read.
    unsafe {
        let mut none = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// A session of processes of its own, with a login's umask: the holder's keeps its files to itself.
pub(super) fn lead() -> Result<(), Fault> {
    // SAFETY: takes nothing.
    check(Step::Session, unsafe { libc::setsid() })?;
    // SAFETY: takes an integer and cannot fail.
    unsafe { libc::umask(0o022) };
    Ok(())
}

pub(super) fn take(streams: &Streams) -> Result<(), Fault> {
    match streams {
        Streams::Terminal { slave } => {
            connect(slave.as_raw_fd(), slave.as_raw_fd())?;
            // SAFETY: standard input is the terminal since the line above; the argument is an integer.
            check(Step::Terminal, unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })
        }
        Streams::Pipes { input, output } => connect(input.as_raw_fd(), output.as_raw_fd()),
        Streams::Inherited => Ok(()),
    }
}

fn connect(input: RawFd, output: RawFd) -> Result<(), Fault> {
    for (number, fd) in [(0, input), (1, output), (2, output)] {
        // SAFETY: takes integers only; std has made sure that 0 to 2 were taken, so `fd` is none of them.
        check(Step::Streams, unsafe { libc::dup2(fd, number) })?;
    }
    Ok(())
}

pub(super) fn limit(limits: &ResourceLimits) -> Result<(), Fault> {
    limits.iter().try_for_each(|(resource, most)| privileges::bound(resource, most).map_err(step(Step::Limits)))
}

/// All capabilities that are left. A program run as root keeps root's files and loses root's powers.
pub(super) fn drop_powers() -> Result<(), Fault> {
    privileges::gain_nothing().map_err(step(Step::NoNewPrivileges))?;
    privileges::drop_capabilities().map_err(step(Step::Capabilities))
}

pub(super) fn restrict(ruleset: &Ruleset) -> Result<(), Fault> {
    // SAFETY: takes integers only.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.fd().as_raw_fd(), 0) };
    check(Step::Landlock, libc::c_int::try_from(result).unwrap_or(-1))
}

pub(super) fn attach(filters: &[BpfProgram]) -> Result<(), Fault> {
    for program in filters {
        let Ok(len) = libc::c_ushort::try_from(program.len()) else {
            return Err(Fault { step: Step::Seccomp, errno: libc::E2BIG });
        };
        let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
        // SAFETY: the program is live, its length is its own, and the kernel only reads it.
        let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        check(Step::Seccomp, libc::c_int::try_from(result).unwrap_or(-1))?;
    }
    Ok(())
}

/// Has the descriptors close when the program is executed, rather than now: some of them are still needed. From here on they are this
/// process's own.
pub(super) fn close_at_exec() -> Result<(), Fault> {
    let flags = libc::c_int::try_from(libc::CLOSE_RANGE_CLOEXEC | libc::CLOSE_RANGE_UNSHARE).unwrap_or(0);
    // SAFETY: takes integers only.
    check(Step::Descriptors, unsafe { libc::close_range(FIRST_PRIVATE, libc::c_uint::MAX, flags) })
}

/// Root's other groups would open the host's files to the session.
pub(super) fn leave_groups(user: User) -> Result<(), Fault> {
    // SAFETY: an empty list has no pointer to be read.
    let left = unsafe { libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) };
    match check(Step::User, libc::c_int::try_from(left).unwrap_or(-1)) {
        // Root of a container may be denied it. As its own user a session keeps nothing that it must not have.
        Err(fault) if fault.errno == libc::EPERM && user == User::Ours => Ok(()),
        done => done,
    }
}

pub(super) fn enter_directory(path: &CStr) -> Result<(), Fault> {
    // SAFETY: the path is a live C string.
    check(Step::WorkingDirectory, unsafe { libc::chdir(path.as_ptr()) })
}
