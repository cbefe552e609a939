//! Who is at the other end of a control connection.
//!
//! A session runs as the holder's user, and Landlock does not stop a connection to a named socket, so without this check every
//! sandboxed program could command every holder on the host: its own, to escape its limits, and others', to escape its sandbox.
#![expect(unsafe_code, reason = "getsockopt has no safe form in the standard library")]

use crate::kernel::proc_file;
use crate::kernel::process::{PidFd, user};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

fn option<T: Copy>(stream: &impl AsRawFd, name: libc::c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let mut length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: value and length describe one live object, which the kernel fills when it reports success.
    let got = unsafe { libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, name, value.as_mut_ptr().cast(), &raw mut length) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    if usize::try_from(length) != Ok(size_of::<T>()) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel has written all of it; only integers and structs of integers are asked for.
    Ok(unsafe { value.assume_init() })
}

/// Whether connections can be made to this socket.
pub(crate) fn is_listening(listener: &UnixListener) -> bool {
    let unix = matches!(option::<libc::c_int>(listener, libc::SO_DOMAIN), Ok(libc::AF_UNIX));
    unix && matches!(option::<libc::c_int>(listener, libc::SO_ACCEPTCONN), Ok(1))
}

/// Whether the peer is the process `pid`, with this process's user. For a process that is known to have lived until now: a number is
/// used again.
pub(crate) fn is_process(stream: &UnixStream, pid: libc::pid_t) -> bool {
    option::<libc::ucred>(stream, libc::SO_PEERCRED).is_ok_and(|peer| peer.pid == pid && peer.uid == user())
}

/// Whether the peer may command this holder: the same user, and no more confined than the holder itself.
pub(crate) fn may_command(stream: &UnixStream) -> bool {
    let Ok(credentials) = option::<libc::ucred>(stream, libc::SO_PEERCRED) else {
        return false;
    };
    if credentials.uid != user() && credentials.uid != 0 {
        return false;
    }
    let handle = match option::<libc::c_int>(stream, libc::SO_PEERPIDFD) {
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(fd) => PidFd::from_owned(unsafe { OwnedFd::from_raw_fd(fd) }),
        // Kernels before 6.5 have no such option; the number alone must do.
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => match PidFd::open(credentials.pid) {
            Ok(handle) => handle,
            Err(_) => return false,
        },
        Err(_) => return false,
    };
    let peer_is_free = match filters(&credentials.pid.to_string()) {
        Some(0) => true,
        Some(peers) => filters("self").is_some_and(|ours| peers <= ours),
        None => false,
    };
    // Asked last: while the process is there its number is its own, so what was read above was read of it.
    peer_is_free && handle.is_there()
}

/// How many seccomp filters a process has; `None` when that cannot be read.
fn filters(pid: &str) -> Option<u64> {
    let status = proc_file::read(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?.trim().parse().ok()
}
