//! Which user a session is, and who owns what to it: the maps of user namespaces.
//!
//! A session of a root node runs as a user that owns no file on the host. Directories that it is given are mounted with their owner
//! translated to that user and back, by a user namespace that exists for nothing else: on disk nothing changes hands.
#![expect(unsafe_code, reason = "clone has no safe form in the standard library")]

use crate::kernel::process;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The first user of the range that sessions of a root node run as: 4 Mi of them, one for each process number. Systemd's allocation
/// (UIDS-GIDS) leaves this range to nobody.
const FIRST_USER: u32 = 0x7000_0000;
/// What a session's user is called inside, where its own number would mean nothing to anybody.
const INSIDE: u32 = 1000;

/// Which user a session runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// One of its own: this process's number in the range, unique for as long as this process lives.
    Own,
    /// Ours: we may not give it another.
    Ours,
}

impl User {
    /// The strongest that this process can give.
    pub(crate) fn strongest() -> Self {
        if process::user() == 0 { Self::Own } else { Self::Ours }
    }

    /// The user in the host's numbering.
    pub(crate) fn kernel(self) -> u32 {
        match self {
            Self::Own => FIRST_USER + std::process::id(),
            Self::Ours => process::user(),
        }
    }

    /// The user as the session sees it. Never 0, which programs take for more power than there is.
    pub(crate) fn inside(self) -> u32 {
        match self.kernel() {
            ours if self == Self::Ours && ours != 0 => ours,
            _ => INSIDE,
        }
    }
}

/// Says in `pid`'s user namespace that `inside` is the host's `outside`.
pub(crate) fn map(pid: libc::pid_t, inside: u32, outside: u32) -> io::Result<()> {
    fs::write(format!("/proc/{pid}/uid_map"), format!("{inside} {outside} 1"))
}

/// As [`map`], for groups.
pub(crate) fn map_group(pid: libc::pid_t, inside: u32, outside: u32) -> io::Result<()> {
    fs::write(format!("/proc/{pid}/gid_map"), format!("{inside} {outside} 1"))
}

/// A user and a group on disk.
pub(crate) type Owner = (u32, u32);

/// The translations of one session.
#[derive(Debug)]
pub(crate) struct Owners {
    user: User,
    known: Vec<(Owner, OwnedFd)>,
}

impl Owners {
    pub(crate) const fn new(user: User) -> Self {
        Self { user, known: Vec::new() }
    }

    /// The session's user.
    pub(crate) const fn user(&self) -> User {
        self.user
    }

    /// Whether this process opens the session's directories for it: it may see more than the session's user may.
    pub(crate) fn opens_directories(&self) -> bool {
        process::user() == 0
    }

    /// Whether the session's user is this process's, which may open them from inside.
    pub(crate) fn opens_inside(&self) -> bool {
        self.user == User::Ours
    }

    /// The user namespace that translates `owner` to the session's user; none when it is the same user.
    pub(crate) fn translate(&mut self, owner: Owner) -> io::Result<Option<BorrowedFd<'_>>> {
        if self.user == User::Ours {
            return Ok(None);
        }
        let place = match self.known.iter().position(|(known, _)| *known == owner) {
            Some(place) => place,
            None => {
                self.known.push((owner, translation(owner, self.user.kernel())?));
                self.known.len() - 1
            }
        };
        Ok(self.known.get(place).map(|(_, fd)| fd.as_fd()))
    }
}

/// A user namespace with the map `owner` → `to`. A child that has nothing else to do is in it while it is opened.
fn translation((uid, gid): Owner, to: u32) -> io::Result<OwnedFd> {
    let parent = process::own();
    // SAFETY: this program has one thread; the child does nothing but wait to be killed.
    let pid = match unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0) } {
        0 => {
            // A parent that dies meanwhile must not leave it behind.
            let bound = process::die_with_parent(true).is_ok();
            while bound && process::parent() == parent {
                // SAFETY: takes nothing. The signal mask and handlers of the parent do not matter: SIGKILL ends it.
                unsafe { libc::pause() };
            }
            // SAFETY: ends this process without running anything of its parent's.
            unsafe { libc::_exit(0) }
        }
        pid if pid < 0 => return Err(io::Error::last_os_error()),
        pid => libc::pid_t::try_from(pid).unwrap_or(-1),
    };
    let made = map(pid, uid, to)
        .and_then(|()| map_group(pid, gid, to))
        .and_then(|()| File::open(format!("/proc/{pid}/ns/user")).map(OwnedFd::from));
    process::kill(pid, libc::SIGKILL)?;
    process::wait_for(pid)?;
    made
}
