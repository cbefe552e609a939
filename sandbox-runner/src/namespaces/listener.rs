//! A listening socket inside the session's network namespace, in the holder's hands.
#![expect(unsafe_code, reason = "clone has no safe form in the standard library")]

use super::Namespaces;
use crate::kernel::process;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

impl Namespaces {
    /// Listens at 127.0.0.1 and `port` inside. Must come before a program is let in, which could be first.
    ///
    /// A child that shares our descriptors goes in and opens it, for who has gone in does not come back.
    pub(crate) fn listen(&self, port: u16) -> io::Result<OwnedFd> {
        let (mut answers, answer_to) = io::pipe()?;
        // SAFETY: this program has one thread, so the child may go on with all of its memory; it closes nothing of ours, for it leaves by
        // `_exit`.
        let child = match unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_FILES | libc::SIGCHLD, 0, 0, 0, 0) } {
            0 => {
                let opened = self
                    .take_rights()
                    .and_then(|()| self.join("net"))
                    .and_then(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
                let answer = opened.map_or_else(|error| -error.raw_os_error().unwrap_or(libc::EIO), IntoRawFd::into_raw_fd);
                let _ = (&answer_to).write_all(&answer.to_ne_bytes());
                // SAFETY: ends the child without running anything of its parent's.
                unsafe { libc::_exit(0) }
            }
            pid if pid < 0 => return Err(io::Error::last_os_error()),
            pid => libc::pid_t::try_from(pid).unwrap_or(-1),
        };
        process::wait_for(child)?;
        drop(answer_to);
        let mut answer = [0; 4];
        answers.read_exact(&mut answer)?;
        match i32::from_ne_bytes(answer) {
            error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
            // SAFETY: the child has opened it for us in the table that we share, and is gone.
            fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        }
    }
}
