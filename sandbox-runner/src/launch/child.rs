//! The child between fork and exec: what was prepared is applied, and nothing is decided. It never returns.
//!
//! Every call that fails is reported as its step and errno, and ends the child: none is optional unless the line says why.
#![expect(unsafe_code, reason = "between fork and exec there are only system calls")]

use crate::confinement::Confinement;
use crate::kernel::birth::{self, Birth};
use crate::kernel::descriptor::FIRST_PRIVATE;
use crate::launch::fault::{Fault, Step};
use crate::launch::{Image, Streams};
use crate::namespaces::Namespaces;
use crate::owners::User;
use crate::rlimits::ResourceLimits;
use crate::root::view::View;
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// All that the child needs, made before the fork.
pub(crate) struct Order<'a> {
    pub(crate) argv: Vec<*const libc::c_char>,
    pub(crate) env: Vec<*const libc::c_char>,
    pub(crate) image: &'a Image,
    pub(crate) streams: &'a Streams,
    pub(crate) confinement: &'a Confinement,
    /// By which the session's cgroups are joined.
    pub(crate) joins: Vec<RawFd>,
    /// The one to be made in, and by what it is joined instead.
    pub(crate) birthplace: Option<(File, RawFd)>,
    pub(crate) limits: ResourceLimits,
    pub(crate) parent: u32,
}

const HIGHEST_SIGNAL: i32 = 64;
const SIGNAL_SET_BYTES: usize = 8;
const HIGHEST_CAPABILITY: libc::c_ulong = 63;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

impl Order<'_> {
    /// How the program's process is to be made.
    pub(crate) fn birth(&self, sibling: bool) -> Birth {
        Birth { group: self.birthplace.as_ref().map(|(dir, _)| dir.as_raw_fd()), sibling }
    }
}

/// What the child works with, and where it reports.
pub(crate) type Errand<'a> = (&'a Order<'a>, &'a PipeWriter);

/// Turns this process into the program, or reports why not and exits. `placed` says whether it was made in its birthplace.
pub(crate) fn become_program((order, report_to): &Errand<'_>, placed: bool) -> ! {
    let fault = arrive(order, placed).and_then(|()| prepare(order, false)).err().unwrap_or_else(|| exec(order));
    give_up(fault, report_to)
}

/// As [`become_program`], with all rights in the user namespace already.
fn become_program_inside((order, report_to): &Errand<'_>, placed: bool) -> ! {
    let fault = arrive(order, placed).and_then(|()| prepare(order, true)).err().unwrap_or_else(|| exec(order));
    give_up(fault, report_to)
}

/// Enters the user namespace, and forks the program into the pid namespace as a child of our parent.
pub(crate) fn fork_as_sibling(
    namespaces: &Namespaces,
    order: &Order<'_>,
    report_to: &PipeWriter,
    mut number_to: &PipeWriter,
) -> ! {
    if let Err(error) = namespaces.take_rights().and_then(|()| namespaces.fork_inside()) {
        give_up((Step::Namespaces, error).into(), report_to)
    }
    match birth::start(order.birth(true), become_program_inside, &(order, report_to)) {
        Ok(pid) => {
            let _ = number_to.write_all(&pid.to_ne_bytes());
            // SAFETY: ends this process without running anything of its parent's.
            unsafe { libc::_exit(0) }
        }
        Err(error) => give_up((Step::Namespaces, error).into(), report_to),
    }
}

fn give_up(fault: Fault, report_to: &PipeWriter) -> ! {
    let report = fault.encode();
    // SAFETY: the buffer is live; `_exit` runs nothing of the parent's, whose memory this is a copy of.
    unsafe {
        libc::write(report_to.as_raw_fd(), report.as_ptr().cast(), report.len());
        libc::_exit(125)
    }
}

/// First of all, so that nothing is used that is not counted, and while the groups can still be named.
fn arrive(order: &Order<'_>, placed: bool) -> Result<(), Fault> {
    join(&order.joins)?;
    order.birthplace.iter().filter(|_| !placed).try_for_each(|(_, by)| join(&[*by]))
}

fn prepare(order: &Order<'_>, has_rights: bool) -> Result<(), Fault> {
    // With a pid namespace, the death of init is the program's, and the holder's is init's.
    if order.confinement.inside().is_none() {
        die_with(order.parent)?;
    }
    reset_signals();
    match order.streams {
        Streams::Terminal { slave } => take_terminal(slave.as_raw_fd())?,
        Streams::Pipes { input, output } => take_pipes(input.as_raw_fd(), output.as_raw_fd())?,
        Streams::Inherited => {}
    }
    // Marked rather than closed: the report's pipe and the ruleset are still needed, and exec closes them.
    let cloexec = libc::c_int::try_from(libc::CLOSE_RANGE_CLOEXEC).unwrap_or(0);
    // SAFETY: takes integers only.
    check(Step::Descriptors, unsafe { libc::close_range(FIRST_PRIVATE, libc::c_uint::MAX, cloexec) })?;
    if let Some((namespaces, view)) = order.confinement.inside() {
        enter(namespaces, view, order, has_rights)?;
    }
    // Only now: the program's few open files would not be enough for what is opened above.
    limit(&order.limits)?;
    if order.confinement.is_some() {
        join_fresh_keyring()?;
        drop_capabilities()?;
        // SAFETY: takes integers only.
        check(Step::NoNewPrivileges, unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    }
    // After the capabilities: a directory that the program itself could not enter must not be entered for it.
    // SAFETY: the path is a C string that lives as long as the image.
    check(Step::WorkingDirectory, unsafe { libc::chdir(order.image.cwd().as_ptr()) })?;
    restrict(order)
}

/// Into the session's namespaces, as its user, with its root.
fn enter(namespaces: &Namespaces, view: &View, order: &Order<'_>, has_rights: bool) -> Result<(), Fault> {
    let step = |step| move |error: io::Error| Fault::from((step, error));
    if !has_rights {
        // Root's other groups would open the host's files to the session.
        // SAFETY: an empty list has no pointer to be read.
        let left = unsafe { libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()) };
        match check(Step::User, libc::c_int::try_from(left).unwrap_or(-1)) {
            // Root of a container may be denied it. As its own user a session keeps nothing that it must not have.
            Err(fault) if fault.errno == libc::EPERM && namespaces.user() == User::Ours => {}
            done => done?,
        }
        namespaces.take_rights().map_err(step(Step::Namespaces))?;
    }
    namespaces.enter(order.confinement.own_network()).map_err(step(Step::Namespaces))?;
    view.show(namespaces.user()).map_err(step(Step::Root))?;
    let ruleset = order.confinement.ruleset();
    ruleset.map_or(Ok(()), |ruleset| ruleset.grant_inside(view.writable())).map_err(step(Step::Landlock))
}

/// The keys of whoever started us stay theirs.
fn join_fresh_keyring() -> Result<(), Fault> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: without a name the kernel reads no pointer.
    let joined = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0) };
    match check(Step::Keyring, if joined < 0 { -1 } else { 0 }) {
        // Without key management there are no keys to be kept from anybody; and a container's filter keeps them from us as well.
        Err(fault) if matches!(fault.errno, libc::ENOSYS | libc::EPERM) => Ok(()),
        done => done,
    }
}

fn errno() -> i32 {
    // SAFETY: glibc and musl give a valid pointer for the calling thread.
    unsafe { *libc::__errno_location() }
}

fn check(step: Step, result: libc::c_int) -> Result<(), Fault> {
    if result < 0 { Err(Fault { step, errno: errno() }) } else { Ok(()) }
}

/// Each is told that this very process comes.
fn join(cgroups: &[RawFd]) -> Result<(), Fault> {
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
fn die_with(parent: u32) -> Result<(), Fault> {
    // SAFETY: takes integers only.
    check(Step::Parent, unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) })?;
    // SAFETY: takes nothing and cannot fail.
    let now = unsafe { libc::getppid() };
    // A parent that died before the line above would be waited for in vain.
    if u32::try_from(now) == Ok(parent) { Ok(()) } else { Err(Fault { step: Step::Parent, errno: libc::ESRCH }) }
}

/// Ignored signals and the mask outlive exec, and a program that ignores SIGPIPE without knowing it never ends.
fn reset_signals() {
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

fn take_terminal(slave: RawFd) -> Result<(), Fault> {
    // SAFETY: takes nothing.
    check(Step::Session, unsafe { libc::setsid() })?;
    connect(slave, slave)?;
    // SAFETY: standard input is the terminal since the line above; the argument is an integer.
    check(Step::Terminal, unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
    fresh_umask();
    Ok(())
}

fn take_pipes(input: RawFd, output: RawFd) -> Result<(), Fault> {
    // SAFETY: takes nothing.
    check(Step::Session, unsafe { libc::setsid() })?;
    connect(input, output)?;
    fresh_umask();
    Ok(())
}

/// The holder's own mask keeps its files to itself; a session's files are as a login's would be.
fn fresh_umask() {
    // SAFETY: takes an integer and cannot fail.
    unsafe { libc::umask(0o022) };
}

fn connect(input: RawFd, output: RawFd) -> Result<(), Fault> {
    for (number, fd) in [(0, input), (1, output), (2, output)] {
        // SAFETY: takes integers only; std has made sure that 0 to 2 were taken, so `fd` is none of them.
        check(Step::Streams, unsafe { libc::dup2(fd, number) })?;
    }
    Ok(())
}

fn limit(limits: &ResourceLimits) -> Result<(), Fault> {
    for (resource, wanted) in limits.iter() {
        let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `now` is a live struct.
        check(Step::Limits, unsafe { libc::getrlimit(resource, &raw mut now) })?;
        let bound = wanted.min(now.rlim_max);
        let bounds = libc::rlimit { rlim_cur: bound, rlim_max: bound };
        // SAFETY: `bounds` is a live struct.
        check(Step::Limits, unsafe { libc::setrlimit(resource, &raw const bounds) })?;
    }
    Ok(())
}

/// All capabilities, from every set. A program run as root keeps root's files and loses root's powers.
fn drop_capabilities() -> Result<(), Fault> {
    for capability in 0..=HIGHEST_CAPABILITY {
        // Refused to those who may not shrink the bounding set, and past the kernel's last capability. Neither matters: with
        // `no_new_privs`, which follows, exec cannot raise the permitted set that is emptied below.
        // SAFETY: takes integers only.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        if dropped < 0 {
            break;
        }
    }
    // SAFETY: takes integers only.
    check(Step::Capabilities, unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) })?;
    let header = [CAPABILITY_VERSION_3, 0];
    // Two records of effective, permitted and inheritable.
    let none = [0_u32; 6];
    // SAFETY: both arrays have the layout of version 3 and are live.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    check(Step::Capabilities, libc::c_int::try_from(result).unwrap_or(-1))
}

fn restrict(order: &Order<'_>) -> Result<(), Fault> {
    let confinement = order.confinement;
    if let Some(ruleset) = confinement.ruleset() {
        if let Streams::Terminal { slave } = order.streams {
            ruleset.grant_terminal(slave.as_fd()).map_err(|error| Fault::from((Step::Landlock, error)))?;
        }
        // SAFETY: takes integers only.
        let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.fd().as_raw_fd(), 0) };
        check(Step::Landlock, libc::c_int::try_from(result).unwrap_or(-1))?;
    }
    for program in confinement.filters() {
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

/// Tries each candidate as a shell would: what is missing is passed over, and remembered less than what is there but cannot be run.
fn exec(order: &Order<'_>) -> Fault {
    let mut best = Fault { step: Step::Exec, errno: libc::ENOENT };
    for candidate in order.image.candidates() {
        // SAFETY: the lists end in null and, like the path, live as long as the image.
        unsafe { libc::execve(candidate.as_ptr(), order.argv.as_ptr(), order.env.as_ptr()) };
        match errno() {
            // SAFETY: the path is a live C string.
            libc::ENOENT if unsafe { libc::access(candidate.as_ptr(), libc::F_OK) } == 0 => {
                best = Fault { step: Step::Interpreter, errno: libc::ENOENT };
            }
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => best = Fault { step: Step::Exec, errno: libc::EACCES },
            errno => return Fault { step: Step::Exec, errno },
        }
    }
    best
}
