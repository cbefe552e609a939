//! The first process of a session's pid namespace. It builds the root, and then only takes note of orphans that end; the kernel ends the
//! whole session when it dies, and it dies with the holder.
#![expect(unsafe_code, reason = "a child that never returns works by system calls")]

use super::pipe::{hear, tell};
use crate::kernel::process;
use crate::launch::fault::{Fault, Step};
use crate::root::{self, Base};
use std::fs::File;
use std::io::{self, Read, Write};

/// The user's map is written.
pub(super) const MAPPED: u8 = b'm';
/// The handles are taken.
pub(super) const SEALED: u8 = b's';
/// The root is ready; and then, the host's is out of reach.
const READY: u8 = b'r';

/// What init works with, made by the holder.
pub(super) struct Orders {
    pub(super) orders: File,
    pub(super) report: File,
    pub(super) base: Base,
    /// The session's user, inside.
    pub(super) id: u32,
    /// Whether the host's root stays in reach until the program starts, for directories are opened from inside.
    pub(super) host: bool,
}

/// Never returns.
pub(super) fn run(sides: &Orders) -> ! {
    let code = match life(sides) {
        Ok(()) => 0,
        Err(fault) => {
            let _ = (&sides.report).write_all(&fault.encode());
            125
        }
    };
    // SAFETY: ends this process without running anything of the holder's, whose memory this is a copy of.
    unsafe { libc::_exit(code) }
}

/// What init says once it knows: nothing when the root is ready, or the step that failed.
pub(super) fn answer(mut report: &File) -> io::Result<Option<Fault>> {
    let mut said = [0; 5];
    // One byte at first: behind the word that the root is ready another may wait.
    let (first, rest) = said.split_at_mut(1);
    if report.read(first)? == 1 {
        if first == [READY] {
            return Ok(None);
        }
        report.read_exact(rest)?;
    }
    Ok(Some(Fault::decode(&said).unwrap_or(Fault { step: Step::Report, errno: libc::EIO })))
}

fn life(sides: &Orders) -> Result<(), Fault> {
    let step = |step| move |error: io::Error| Fault::from((step, error));
    if hear(&sides.orders).map_err(step(Step::Report))? != Some(MAPPED) {
        return Err(Fault { step: Step::Parent, errno: libc::ESRCH });
    }
    become_user(sides.id).map_err(step(Step::User))?;
    process::die_with_parent(true).map_err(step(Step::Parent))?;
    name_host().map_err(step(Step::HostName))?;
    raise_loopback().map_err(step(Step::Loopback))?;
    sides.base.build(sides.id).map_err(step(Step::Root))?;
    tell(&sides.report, READY).map_err(step(Step::Report))?;
    // The kernel takes its time for this, and the holder has other things to do until the program starts.
    if !sides.host {
        root::leave_host().map_err(step(Step::Root))?;
    }
    tell(&sides.report, READY).map_err(step(Step::Report))?;
    // Without this word the holder is gone, and nobody would ever end what starts here.
    if hear(&sides.orders).map_err(step(Step::Report))? != Some(SEALED) {
        return Err(Fault { step: Step::Parent, errno: libc::ESRCH });
    }
    process::hide_memory().map_err(step(Step::Parent))?;
    reap()
}

/// The session's user and group, keeping all rights in the namespace: user 0, whose loss would cost them, is not mapped.
pub(super) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: takes integers only. By the bare calls: those of the C library would speak to threads that there are none of.
    let results = unsafe { [libc::syscall(libc::SYS_setresgid, id, id, id), libc::syscall(libc::SYS_setresuid, id, id, id)] };
    if results == [0, 0] { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn name_host() -> io::Result<()> {
    let name = c"capstan";
    // SAFETY: the name is live and of the given length.
    if unsafe { libc::sethostname(name.as_ptr(), name.count_bytes()) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Programs speak to their own servers by 127.0.0.1 and ::1, which are down in a new network namespace.
fn raise_loopback() -> io::Result<()> {
    // SAFETY: all zero is a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        *place = libc::c_char::try_from(*byte).unwrap_or_default();
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or_default();
    // SAFETY: the socket is used while open, and the request is live.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let done = if socket < 0 { -1 } else { libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw mut request) };
        let result = if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        libc::close(socket);
        result
    }
}

/// Lets go of everything, and takes note of orphans until the end.
fn reap() -> ! {
    let mut child = std::mem::MaybeUninit::uninit();
    // SAFETY: nothing of ours is used any more, the set is initialised before it is read, and the other pointers may be null. SIGCHLD is
    // blocked before the first look, so that none comes between a look and the wait.
    unsafe {
        libc::close_range(0, libc::c_uint::MAX, 0);
        libc::sigemptyset(child.as_mut_ptr());
        libc::sigaddset(child.as_mut_ptr(), libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, child.as_ptr(), std::ptr::null_mut());
        loop {
            while libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) > 0 {}
            libc::sigwaitinfo(child.as_ptr(), std::ptr::null_mut());
        }
    }
}
