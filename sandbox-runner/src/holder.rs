//! The holder: stays with one session from its start to its release.
//!
//! One loop waits for everything at once: signals, the session's output, the control socket and its connections, and the clock. Nothing
//! in it blocks: a reader that falls behind is waited for by a small budget that it earns (see `pace`), and then loses the middle of the
//! output.
//!
//! Invariants: the session ends once, and its end is recorded before anybody is told, so that no death of a process can lose what was
//! told; a moment later, unless it was released by then, it is made to survive a loss of power as well. Memory is bounded: the output lies
//! in the spool, and every queue has a cap.

mod connection;
mod deadlines;
mod denials;
mod flood;
mod fresh;
mod input;
mod pace;
mod phase;
mod settle;
pub(crate) mod tree;
mod usage;
pub(crate) mod watch;

use crate::bounds::Bounds;
use crate::cgroup::Places;
use crate::confinement::Inside;
use crate::kernel::descriptor::{Interest, PollSet};
use crate::kernel::peer;
use crate::kernel::process::{self, ExitStatus, Reaped};
use crate::kernel::signals::{Signals, Told};
use crate::namespaces::Namespaces;
use crate::session_dir::SessionDir;
use crate::spool::Spool;
use crate::terminal::Terminal;
use capstan_types::control::{Report, Request, VERSION};
use capstan_types::launch::{Denial, SessionEnd};
use capstan_types::output::seal::Seal;
use connection::Connection;
use deadlines::Deadlines;
use fresh::Fresh;
use input::Input;
use phase::Phase;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};
use watch::Watch;

/// How many connections there may be at once. One more is closed as soon as it is made. A node sees to it that those who only look leave
/// room for itself and the owner.
const MOST_CONNECTIONS: usize = 12;
/// How long the beginning of a character is kept from readers while its rest may be on its way.
const HELD_BACK: Duration = Duration::from_millis(20);
/// How much is kept of the name of whoever ends a session, in characters.
const LONGEST_NAME: usize = 200;
/// How long the loop rests when the kernel is out of something, so that it does not spin.
const SHORT_OF_SOMETHING: Duration = Duration::from_millis(10);

/// The holder's ends of the program's standard streams.
#[derive(Debug)]
pub(crate) struct Ends {
    /// What the program writes.
    pub(crate) output: File,
    /// What the program reads; none when its input is empty.
    pub(crate) input: Option<File>,
    /// The terminal, if the streams are one.
    pub(crate) terminal: Option<Terminal>,
}

/// A program that runs, and all that is needed to hold it.
#[derive(Debug)]
pub(crate) struct Held {
    /// The program's process id, which is its process group and session as well.
    pub(crate) pid: libc::pid_t,
    /// The streams.
    pub(crate) ends: Ends,
    /// The program's side of its terminal.
    pub(crate) slave: Option<OwnedFd>,
    /// Where the output goes.
    pub(crate) spool: Spool,
    /// The control socket.
    pub(crate) listener: UnixListener,
    /// SIGCHLD and SIGTERM.
    pub(crate) signals: Signals,
    /// The session's namespaces and what was made for its root, if it has them.
    pub(crate) inside: Option<Inside>,
    /// Namespaces that were made ahead and are not used.
    pub(crate) spare: Option<Namespaces>,
    /// What the session is bounded by.
    pub(crate) bounds: Bounds,
    /// Where groups are that others may have left behind, if this holder is to look.
    pub(crate) sweeps: Option<Places>,
}

/// The state of one held session.
#[derive(Debug)]
pub(crate) struct Holder {
    pid: libc::pid_t,
    /// None once the program and all who shared its output have closed it.
    output: Option<File>,
    input: Input,
    terminal: Option<Terminal>,
    /// Kept open while the program lives: a program that closes its terminal to open it again would otherwise hang it up.
    slave: Option<OwnedFd>,
    inside: Option<Inside>,
    spare: Option<Namespaces>,
    /// What the session's proxy refused.
    denials: Vec<Denial>,
    spool: Spool,
    listener: UnixListener,
    signals: Signals,
    connections: Vec<Connection>,
    dir: SessionDir,
    deadlines: Deadlines,
    /// Given up, and the groups with it, when the end has been told.
    watch: Option<Watch>,
    sweeps: Option<Places>,
    /// When what nobody waits for is done.
    settle_at: Option<Instant>,
    /// When the record of the end is brought to the disk.
    sync_at: Option<Instant>,
    /// How the program ended, once it has.
    exit: Option<ExitStatus>,
    /// Whether no descendant is left.
    childless: bool,
    phase: Phase,
    /// How the session ends, as soon as that is decided.
    end: Option<SessionEnd>,
    /// What was kept of the output, once the end is recorded.
    seal: Option<Seal>,
    /// Whether the kernel was told to kill all members of the session's groups.
    killed: bool,
    recorded: bool,
    released: bool,
    terminated: bool,
    poll: PollSet,
    fresh: Fresh,
    /// When output was last read.
    read_at: Instant,
}

impl Holder {
    /// Takes over a program that has just been started.
    pub(crate) fn new(held: Held, dir: SessionDir) -> Self {
        let now = Instant::now();
        Self {
            pid: held.pid,
            output: Some(held.ends.output),
            input: Input::new(held.ends.input),
            terminal: held.ends.terminal,
            slave: held.slave,
            inside: held.inside,
            spare: held.spare,
            denials: Vec::new(),
            spool: held.spool,
            listener: held.listener,
            signals: held.signals,
            connections: Vec::new(),
            dir,
            deadlines: Deadlines::new(held.bounds.limits(), now),
            watch: Some(Watch::new(held.bounds, now)),
            sweeps: held.sweeps,
            settle_at: None,
            sync_at: None,
            exit: None,
            childless: false,
            phase: Phase::Running,
            end: None,
            seal: None,
            killed: false,
            recorded: false,
            released: false,
            terminated: false,
            poll: PollSet::default(),
            fresh: Fresh::default(),
            read_at: now,
        }
    }

    /// Has whoever asked for the session command it, and hear of its end, by the connection that it was asked for on.
    pub(crate) fn hear(mut self, caller: Option<UnixStream>) -> Self {
        if let Some(mut connection) = caller.and_then(|stream| Connection::new(stream).ok()) {
            connection.listens();
            self.welcome(connection);
        }
        self
    }

    fn welcome(&mut self, mut connection: Connection) {
        connection.send(&Report::Hello { version: VERSION, pid: self.pid.unsigned_abs() });
        self.connections.push(connection);
    }

    /// Holds the session until it has ended and may be forgotten.
    pub(crate) fn run(mut self) {
        while !self.may_go(Instant::now()) {
            self.turn();
        }
        drop(self.inside.take().map(|inside| inside.view.into_protection()));
        self.dir.remove_socket();
        if self.released {
            self.dir.remove_output();
            if self.spool.keeps_all() {
                self.dir.remove_all_output();
            }
        } else if self.sync_at.is_some() {
            self.dir.sync();
        }
    }

    /// Ends a session whose start could not be told to anybody.
    pub(crate) fn end_unclaimed(mut self) {
        self.end_with(SessionEnd::Killed { by: "the runner, as nobody took its answer".to_owned() });
        self.terminated = true;
        self.run();
    }

    fn turn(&mut self) {
        let ready = self.wait();
        self.read_signals();
        if ready.output {
            self.read_output();
        }
        if ready.refusals {
            self.read_refusals();
        }
        // Before requests, which may wait for the room: if room came after them, nothing would wake us to see that it has.
        self.input.write_some();
        self.serve(&ready.connections);
        if ready.listener {
            self.accept();
        }
        self.advance(Instant::now());
        self.report();
        self.settle(Instant::now());
    }

    fn wait(&mut self) -> Woken {
        self.poll.clear();
        self.poll.add(self.signals.as_raw_fd(), Interest::Read);
        let listener = self.poll.add(self.listener.as_raw_fd(), Interest::Read);
        let refusals = self.refusals().map(|fd| self.poll.add(fd, Interest::Read));
        let patience = self.patience();
        let output =
            self.output.as_ref().filter(|_| patience.is_none()).map(|output| self.poll.add(output.as_raw_fd(), Interest::Read));
        if let Some(input) = self.input.waits_for() {
            self.poll.add(input, Interest::Write);
        }
        let connections: Vec<_> = self
            .connections
            .iter()
            .map(|connection| connection.waits_for().map(|(fd, interest)| self.poll.add(fd, interest)))
            .collect();
        let now = Instant::now();
        let held_back = self.connections.iter().any(Connection::withholds).then(|| self.read_at + HELD_BACK);
        let deadline = [self.next_deadline(), held_back].into_iter().flatten().min();
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(now)).into_iter().chain(patience).min();
        if self.poll.wait(timeout).is_err() {
            std::thread::sleep(SHORT_OF_SOMETHING);
        }
        if patience.is_some() {
            self.spend_patience(now.elapsed());
        }
        Woken {
            refusals: refusals.is_some_and(|refusals| self.poll.ready(refusals).readable),
            listener: self.poll.ready(listener).readable,
            output: output.is_some_and(|output| self.poll.ready(output).readable),
            connections: connections
                .into_iter()
                .map(|place| place.map(|place| self.poll.ready(place)).unwrap_or_default())
                .collect(),
        }
    }

    fn read_signals(&mut self) {
        while let Some(told) = self.signals.next() {
            match told {
                Told::Child => self.reap(),
                Told::Other(_) => {}
                Told::Terminate => {
                    self.terminated = true;
                    self.end_with(SessionEnd::Killed { by: "holder terminated".to_owned() });
                }
            }
        }
    }

    /// Takes note of every child that has ended: the program, and orphans that became ours.
    fn reap(&mut self) {
        loop {
            match process::reap_any() {
                Ok(Reaped::Child(pid, status)) => {
                    self.watch.iter_mut().for_each(|watch| watch.saw(status));
                    if pid == self.pid {
                        self.exit = Some(status);
                    }
                }
                Ok(Reaped::Childless) => {
                    self.childless = true;
                    return;
                }
                Ok(Reaped::NoneReady) | Err(_) => return,
            }
        }
    }

    fn read_output(&mut self) {
        if self.fresh.read(&mut self.output) > 0 {
            self.spool.append(self.fresh.bytes());
            self.read_at = Instant::now();
            self.deadlines.stirred(self.read_at);
            self.connections.iter_mut().for_each(|connection| connection.pass_on(&self.fresh, self.spool.total()));
        }
    }

    /// For how long the program waits for a reader now. One that has ended waits for nobody: the rest of its output is short.
    fn patience(&self) -> Option<Duration> {
        let readers = self.connections.iter().filter(|_| self.phase == Phase::Running);
        readers.filter_map(|reader| reader.patience(&self.spool)).max()
    }

    fn spend_patience(&mut self, waited: Duration) {
        for connection in &mut self.connections {
            if connection.patience(&self.spool).is_some() {
                connection.waited(waited);
            }
        }
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let welcome = self.connections.len() < MOST_CONNECTIONS && peer::may_command(&stream);
                    if let Some(connection) = welcome.then(|| Connection::new(stream).ok()).flatten() {
                        self.welcome(connection);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return std::thread::sleep(SHORT_OF_SOMETHING),
            }
        }
    }

    fn serve(&mut self, ready: &[crate::kernel::descriptor::Ready]) {
        let mut connections = std::mem::take(&mut self.connections);
        for (connection, ready) in connections.iter_mut().zip(ready) {
            connection.receive(*ready);
            while let Some(request) = connection.next_request(self.input.is_full()) {
                self.obey(connection, request);
            }
        }
        self.connections = connections;
    }

    fn obey(&mut self, connection: &mut Connection, request: Request) {
        match request {
            Request::Attach { from, wants, version: _ } => connection.attach(from, wants),
            Request::Input(bytes) if self.input.offer(&bytes) => self.deadlines.stirred(Instant::now()),
            Request::Input(_) => connection.send(&Report::InputClosed),
            Request::CloseInput => self.input.close(self.terminal.as_ref()),
            Request::Resize(size) => self.terminal.iter().for_each(|terminal| terminal.resize(size)),
            Request::Signal(number) => self.signal(number),
            // Cut to what the room that was taken for the end record can hold.
            Request::Kill { by } => self.end_with(SessionEnd::Killed { by: by.chars().take(LONGEST_NAME).collect() }),
            Request::Release => self.released = matches!(self.phase, Phase::Ended { .. }),
        }
    }

    /// Signals the foreground. Once the program is gone its number may be another's, so nothing is sent then.
    fn signal(&self, number: i32) {
        if self.exit.is_none() {
            let foreground = self.terminal.as_ref().and_then(Terminal::foreground).unwrap_or(self.pid);
            let _ = process::kill(-foreground, number);
        }
    }

    /// Sends each connection what it can take, and forgets those that are gone.
    fn report(&mut self) {
        self.tell_denials();
        let end = self.end.as_ref().zip(self.seal.as_ref()).filter(|_| matches!(self.phase, Phase::Ended { .. }));
        let settled = self.output.is_none() || self.read_at.elapsed() >= HELD_BACK;
        for connection in &mut self.connections {
            connection.fill(&self.spool, settled, end);
            connection.flush();
        }
        self.connections.retain(Connection::is_open);
        self.deadlines.owned(self.connections.iter().any(Connection::is_owner), Instant::now());
    }
}

/// What a wait found.
struct Woken {
    refusals: bool,
    listener: bool,
    output: bool,
    connections: Vec<crate::kernel::descriptor::Ready>,
}
