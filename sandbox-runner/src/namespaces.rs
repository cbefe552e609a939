//! The namespaces of one session, and what lives in them from before its program to after it: an init that only reaps.
//!
//! Made in this order: the trees of the base root are opened (as root, who may see more than the session) · init is cloned into new
//! user, mount, pid, ipc, uts and net namespaces · its user is mapped from here · it builds the root ([`root`]) · the handles by which a
//! program enters are taken · it is sealed: nobody can look into it any more, and it dies with us. Nothing here knows a policy, so all of
//! it can be done before there is a session.
#![expect(unsafe_code, reason = "namespaces are made and entered by calls that have no safe form in the standard library")]

mod init;
mod listener;
mod pipe;

use crate::kernel::proc_file;
use crate::kernel::process::{self, PidFd};
use crate::launch::fault::{Fault, Step};
use crate::owners::{self, Owners, User, map};
use crate::root::Base;
use init::{MAPPED, Orders, SEALED};
use pipe::Pipe;
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The namespaces, by the names of `/proc/self/ns`, in the order in which they are entered: rights over the rest come with the first.
pub(crate) const NAMES: [&str; 6] = ["user", "mnt", "pid", "ipc", "uts", "net"];
const FLAGS: libc::c_int =
    libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNET;

/// Why there are no namespaces: the step that failed, and what the system said.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {source}")]
pub(crate) struct Unavailable {
    step: String,
    source: io::Error,
}

impl Unavailable {
    fn at(step: &str) -> impl FnOnce(io::Error) -> Self {
        let step = step.to_owned();
        |source| Self { step, source }
    }
}

/// Namespaces that wait for a program, or run one.
#[derive(Debug)]
pub(crate) struct Namespaces {
    init: PidFd,
    pid: libc::pid_t,
    entrances: Vec<OwnedFd>,
    /// The terminal multiplexer of the session's own devpts.
    ptmx: Option<OwnedFd>,
    user: User,
    owners: Owners,
    home: Option<PathBuf>,
    /// Our ends of the pipes to init: orders, and its report.
    pipes: (File, File),
    /// Whether init has said that the host's root is out of reach.
    rooted: Cell<bool>,
}

impl Namespaces {
    /// Has init begin to make them for a session of `user`, with the toolchains below `home` in their root. They can be used when they are complete; until then there is time for other things.
    pub(crate) fn begin(user: User, home: Option<&Path>) -> Result<Self, Unavailable> {
        // The maps of a process that nobody may look into cannot be written by an ordinary user. No document has been read yet, or
        // nothing of it has been started.
        process::show_memory().map_err(Unavailable::at("open the way to init"))?;
        let made = Self::clone_init(user, home);
        process::hide_memory().map_err(Unavailable::at("hide memory"))?;
        made
    }

    fn clone_init(user: User, home: Option<&Path>) -> Result<Self, Unavailable> {
        let mut owners = Owners::new(user);
        let base = Base::open(home, &mut owners).map_err(Unavailable::at("open the directories of the system"))?;
        let orders = Pipe::new().map_err(Unavailable::at("make a pipe"))?;
        let report = Pipe::new().map_err(Unavailable::at("make a pipe"))?;
        let sides = Orders { orders: orders.read, report: report.write, base, id: user.inside(), host: user == User::Ours };
        let ours = (orders.write, report.read);
        // SAFETY: this program has one thread, so the child may go on with all of its memory.
        let init = match unsafe { libc::syscall(libc::SYS_clone, FLAGS | libc::SIGCHLD, 0, 0, 0, 0) } {
            0 => {
                drop(ours);
                init::run(&sides)
            }
            pid if pid < 0 => return Err(Unavailable::at("make namespaces")(io::Error::last_os_error())),
            pid => libc::pid_t::try_from(pid).unwrap_or(-1),
        };
        let home = sides.base.home().map(Path::to_owned);
        // Our copies of its ends, so that its death is seen as the end of the pipe.
        drop(sides);
        let begun = map(init, user.inside(), user.kernel())
            .map_err(Unavailable::at("map the session's user"))
            .and_then(|()| map_groups(init, user).map_err(Unavailable::at("map the session's group")))
            .and_then(|()| pipe::tell(&ours.0, MAPPED).map_err(Unavailable::at("wake init")))
            .and_then(|()| PidFd::open(init).map_err(Unavailable::at("take hold of init")));
        let handle = begun.inspect_err(|_| {
            let _ = process::kill(init, libc::SIGKILL);
            let _ = process::wait_for(init);
        })?;
        Ok(Self {
            init: handle,
            pid: init,
            entrances: Vec::new(),
            ptmx: None,
            user,
            owners,
            home,
            pipes: ours,
            rooted: Cell::new(false),
        })
    }

    /// Waits for the root, takes the handles, and seals init.
    pub(crate) fn complete(&mut self) -> Result<(), Unavailable> {
        if self.ptmx.is_some() {
            return Ok(());
        }
        self.hear()?;
        let init = self.pid;
        let open = |name: &&str| File::open(format!("/proc/{init}/ns/{name}")).map(OwnedFd::from);
        self.entrances = NAMES.iter().map(open).collect::<io::Result<Vec<_>>>().map_err(Unavailable::at("open namespaces"))?;
        let ptmx = File::options()
            .read(true)
            .custom_flags(libc::O_PATH)
            .open(format!("/proc/{init}/root/dev/pts/ptmx"))
            .map_err(Unavailable::at("find the terminals"))?;
        self.ptmx = Some(ptmx.into());
        pipe::tell(&self.pipes.0, SEALED).map_err(Unavailable::at("seal init"))
    }

    /// Waits until the host's root is out of reach, as it must be before a program is let in.
    pub(crate) fn await_root(&self) -> Result<(), Unavailable> {
        if !self.rooted.get() {
            self.hear()?;
            self.rooted.set(true);
        }
        Ok(())
    }

    fn hear(&self) -> Result<(), Unavailable> {
        match init::answer(&self.pipes.1).map_err(Unavailable::at("hear from init"))? {
            Some(fault) => {
                Err(Unavailable { step: fault.step.name().to_owned(), source: io::Error::from_raw_os_error(fault.errno) })
            }
            None => Ok(()),
        }
    }

    /// Ends init, and with it everything in the pid namespace, at once and however fast it forks. Who is ended is still to be reaped.
    pub(crate) fn end(&self) {
        // It fails when init has been reaped already.
        let _ = self.init.signal(libc::SIGKILL);
    }

    /// Whether init is the only process in the pid namespace, and our only child: whoever is in there is a child of one who is, of
    /// init, or of us.
    pub(crate) fn is_empty(&self) -> bool {
        let children = |pid: libc::pid_t| proc_file::read(format!("/proc/{pid}/task/{pid}/children"));
        children(self.pid).is_ok_and(|of_init| of_init.is_empty())
            && children(process::own()).is_ok_and(|ours| ours.trim().parse() == Ok(self.pid))
    }

    /// Which user the session runs as.
    pub(crate) const fn user(&self) -> User {
        self.user
    }

    /// The home whose toolchains are in the root already.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// How files' owners are translated for this session.
    pub(crate) const fn owners(&mut self) -> &mut Owners {
        &mut self.owners
    }

    /// A handle on the terminal multiplexer of the session's own devpts.
    pub(crate) const fn ptmx(&self) -> Option<&OwnedFd> {
        self.ptmx.as_ref()
    }

    fn entrance(&self, name: &str) -> Option<&OwnedFd> {
        NAMES.iter().zip(&self.entrances).find(|(known, _)| **known == name).map(|(_, fd)| fd)
    }

    fn join(&self, name: &str) -> io::Result<()> {
        let fd = self.entrance(name).map_or(-1, AsRawFd::as_raw_fd);
        // SAFETY: takes integers only.
        if unsafe { libc::setns(fd, 0) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Makes the pid namespace the one of whatever this process forks from now on.
    pub(crate) fn fork_inside(&self) -> io::Result<()> {
        self.join("pid")
    }

    /// Takes [`Self::fork_inside`] back.
    pub(crate) fn fork_outside(&self) -> io::Result<()> {
        let own = File::open("/proc/self/ns/pid")?;
        // SAFETY: takes integers only.
        if unsafe { libc::setns(own.as_raw_fd(), libc::CLONE_NEWPID) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The process number of init, by which these namespaces are told from others.
    pub(crate) const fn init(&self) -> libc::pid_t {
        self.pid
    }

    /// Gains all rights over the session's namespaces, and loses those over the host. For a child.
    pub(crate) fn take_rights(&self) -> io::Result<()> {
        self.join("user")
    }

    /// Enters what a program lives in, as the session's user, with all rights there still. For a child that has taken them.
    pub(crate) fn enter(&self, own_network: bool) -> io::Result<()> {
        let names = ["ipc", "uts", "mnt"].into_iter().chain(own_network.then_some("net"));
        names.into_iter().try_for_each(|name| self.join(name))?;
        init::become_user(self.user.inside())
    }
}

impl Drop for Namespaces {
    /// What was made ahead and is not used must not wait for a session. Who is ended is still to be reaped.
    fn drop(&mut self) {
        self.end();
    }
}

/// An ordinary user may map the one group that is theirs, once they have given up dropping others.
fn map_groups(init: libc::pid_t, user: User) -> io::Result<()> {
    // SAFETY: takes nothing and cannot fail.
    let own = unsafe { libc::getegid() };
    match user {
        User::Own => owners::map_group(init, user.inside(), user.kernel()),
        User::Ours => {
            std::fs::write(format!("/proc/{init}/setgroups"), "deny")?;
            owners::map_group(init, user.inside(), own)
        }
    }
}

impl From<(Step, io::Error)> for Fault {
    fn from((step, error): (Step, io::Error)) -> Self {
        Self { step, errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }
}
