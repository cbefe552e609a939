//! The `serve` verb: a fork server. A node starts it once, and each of its sessions then costs a fork instead of the start of a program.
//!
//! Standard input is a Unix socket that listens already; standard output is a pipe on which one line says that sessions can be asked
//! for. When nobody reads that pipe any more the keeper is gone, and the server goes: it, and the holders that wait, but no holder that
//! has a session.
//!
//! It keeps some holders forked ahead, each waiting in `accept` on the one socket; whoever accepts becomes the holder of that request
//! (see [`crate::hold`]) and says so by its number on a pipe, so that another can take its place: a little later, because a processor
//! that forks is missed by the session that is being started. While none waits, the server accepts by itself and forks then. A holder
//! that waits makes ahead what a session of the last one's level needs, up to its process: a host's sessions are mostly alike.
//!
//! Invariants: the server has one thread and runs no session itself, so what it has is what a fork of it costs. Only the process that
//! started it may ask for sessions.

mod event;
mod pool;
mod waiting;

use crate::cgroup::{self, Places};
use crate::hold::{self, Caller, Prepared};
use crate::kernel::descriptor::{self, Interest, PollSet};
use crate::kernel::process::{self, Reaped};
use crate::kernel::signals::{self, Signals, Told};
use crate::kernel::{memory, peer};
use crate::seccomp;
use capstan_types::path::AbsPath;
use capstan_types::policy::Level;
use event::{Event, Teller};
use pool::Pool;
use std::fs::File;
use std::io::{self, PipeReader, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use waiting::Waiting;

/// The most holders that can be forked ahead.
pub(crate) const MOST_PREPARED: usize = 64;
/// The line that says that sessions can be asked for.
const READY: &[u8] = b"ready\n";
/// How long to rest when the kernel is out of something, so that the loop does not spin.
const SHORT_OF_SOMETHING: Duration = Duration::from_millis(10);

/// How long after the end of a holder it is looked for what it may have left.
const TIDY: Duration = Duration::from_secs(1);
/// How long to wait for what was made ahead to be gone, and how often to look.
const FAREWELL: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);

/// What a server is to be ready for.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// How many holders to fork ahead, at most [`MOST_PREPARED`].
    pub(crate) prepared: usize,
    /// What is hidden from most sessions. Others are served as well, and cost more.
    pub(crate) hidden: Vec<AbsPath>,
}

/// The server, between two events.
#[derive(Debug)]
struct Server {
    listener: UnixListener,
    /// Our end of the keeper's pipe, which breaks when the keeper goes.
    keeper: File,
    keeper_pid: libc::pid_t,
    own_pid: libc::pid_t,
    signals: Signals,
    events: PipeReader,
    teller: Teller,
    pool: Pool,
    /// Where groups are made.
    places: Places,
    /// When what was left of killed holders is looked for.
    sweep_at: Option<Instant>,
    /// What the last session asked for: the next is expected to be of its kind.
    level: Level,
    /// What is hidden from most sessions.
    hidden: Vec<AbsPath>,
}

/// What this process is after an event.
enum Role {
    /// The server, which is to go.
    Over,
    /// A new process that waits for a session.
    Waiting,
    /// A new process, and this caller's holder.
    Holder(UnixStream),
}

/// Serves until the keeper is gone, ready for what is `expected`; in the processes that it forks, holds a session.
///
/// # Errors
/// The host is short of something, or standard input is no listening Unix socket. No session ends by that.
pub(crate) fn serve(expected: Expected) -> io::Result<ExitCode> {
    let mut server = Server::open(expected)?;
    match server.run()? {
        Role::Over => {
            server.dismiss();
            Ok(ExitCode::SUCCESS)
        }
        Role::Waiting => server.into_waiting().run(),
        Role::Holder(stream) => {
            let places = std::mem::take(&mut server.places);
            drop(server);
            Ok(hold::hold_for(Caller::over(stream)?, hold::isolate(), Prepared::Places(places), drop))
        }
    }
}

impl Server {
    fn open(expected: Expected) -> io::Result<Self> {
        let Expected { prepared, hidden } = expected;
        descriptor::close_inherited()?;
        hold::withdraw()?;
        std::env::set_current_dir("/")?;
        let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
        if !peer::is_listening(&listener) {
            return Err(io::Error::other("standard input is no listening Unix socket"));
        }
        let keeper = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let (events, teller) = event::pipe()?;
        descriptor::detach_standard_streams()?;
        (&keeper).write_all(READY)?;
        memory::bring_in_program();
        seccomp::warm();
        let (signals, pool) = (Signals::open()?, Pool::new(prepared, Instant::now()));
        let (own_pid, keeper_pid) = (process::own(), process::parent());
        let (places, sweep_at) = (Places::find(), Some(Instant::now() + TIDY));
        Ok(Self {
            listener,
            keeper,
            keeper_pid,
            own_pid,
            signals,
            events,
            teller,
            pool,
            places,
            sweep_at,
            level: Level::Full,
            hidden,
        })
    }

    fn into_waiting(self) -> Waiting {
        let Self { listener, keeper_pid: keeper, teller: taken, own_pid: server, level, places, hidden, .. } = self;
        Waiting { listener, keeper, taken, server, places, level, hidden }
    }

    fn run(&mut self) -> io::Result<Role> {
        let mut poll = PollSet::default();
        loop {
            if self.fill_pool() {
                return Ok(Role::Waiting);
            }
            poll.clear();
            let keeper = poll.add(self.keeper.as_raw_fd(), Interest::HangUp);
            poll.add(self.signals.as_raw_fd(), Interest::Read);
            poll.add(self.events.as_raw_fd(), Interest::Read);
            // Only while nobody else accepts: what is ready here then waits for us.
            let listener = self.pool.is_empty().then(|| poll.add(self.listener.as_raw_fd(), Interest::Read));
            let next = [self.pool.next(), self.sweep_at].into_iter().flatten().min();
            poll.wait(next.map(|at| at.saturating_duration_since(Instant::now())))?;
            self.tidy(Instant::now());
            let terminated = self.take_note();
            if terminated || poll.ready(keeper).hung_up {
                return Ok(Role::Over);
            }
            if listener.is_some_and(|listener| poll.ready(listener).readable)
                && let Some(stream) = self.accept()
            {
                return Ok(Role::Holder(stream));
            }
        }
    }

    /// Takes away what holders that were killed have left, for all of them at once: each of them would look at the groups of all others.
    fn tidy(&mut self, now: Instant) {
        if self.sweep_at.take_if(|at| now >= *at).is_some() && !cgroup::sweep(&self.places, cgroup::FEW) {
            self.sweep_at = Some(now + TIDY);
        }
    }

    /// Ends the holders that wait, and takes away what they made ahead. One that has taken a session a moment ago, unheard of, stays.
    fn dismiss(&self) {
        let mut waiting = self.pool.waiting().to_vec();
        for pid in &waiting {
            let _ = process::kill(*pid, signals::DISMISSAL);
        }
        let end = Instant::now() + FAREWELL;
        // The processes that waited for them die a moment later.
        while Instant::now() < end {
            while let Ok(Reaped::Child(pid, _)) = process::reap_any() {
                waiting.retain(|waiting| *waiting != pid);
            }
            if waiting.is_empty() && cgroup::sweep(&self.places, cgroup::FEW) {
                break;
            }
            std::thread::sleep(MOMENT);
        }
    }

    /// Forks the holders that are missing. Whether this is one of them.
    fn fill_pool(&mut self) -> bool {
        while self.pool.wants_one(Instant::now()) {
            match process::fork() {
                Ok(None) => return true,
                Ok(Some(pid)) => self.pool.joined(pid),
                Err(_) => self.pool.hold_off(Instant::now()),
            }
        }
        false
    }

    /// Reaps, and sees who of the pool is gone. Whether the server was told to go.
    fn take_note(&mut self) -> bool {
        let (mut ended, mut terminated) = (Vec::new(), false);
        while let Some(told) = self.signals.next() {
            terminated |= told == Told::Terminate;
        }
        while let Ok(Reaped::Child(pid, _)) = process::reap_any() {
            ended.push(pid);
        }
        // After the reaping: who has ended may have taken a session before, and is not to be called a failure for that.
        let now = Instant::now();
        if !ended.is_empty() {
            self.sweep_at.get_or_insert(now + TIDY);
        }
        while let Some(event) = event::next(&self.events) {
            match event {
                Event::Taken(pid) => self.pool.took(pid, now),
                Event::Asked(level) => self.level = level,
            }
        }
        ended.into_iter().for_each(|pid| self.pool.failed(pid, now));
        terminated
    }

    /// Takes a connection and forks its holder; a stream in the holder alone.
    fn accept(&mut self) -> Option<UnixStream> {
        match self.listener.accept() {
            Ok((stream, _)) if peer::is_process(&stream, self.keeper_pid) => match process::fork() {
                Ok(None) => Some(stream),
                // Who asked sees the connection close with its document unread, and knows by that that nothing was started.
                Ok(Some(_)) | Err(_) => None,
            },
            Ok(_) => None,
            Err(_) => {
                std::thread::sleep(SHORT_OF_SOMETHING);
                None
            }
        }
    }
}
