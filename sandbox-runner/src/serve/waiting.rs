//! A holder that was forked ahead, until it has a session.

use crate::cgroup::Places;
use crate::hold::{self, Caller, Prepared, Readiness};
use crate::kernel::{peer, process, signals};
use crate::serve::event::{Event, Teller};
use capstan_types::path::AbsPath;
use capstan_types::policy::Level;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;

/// What a waiting holder has, and no more of the server's.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) listener: UnixListener,
    /// The only process that may ask for a session.
    pub(super) keeper: libc::pid_t,
    /// Where to say that a session was taken, and of which kind.
    pub(super) taken: Teller,
    pub(super) server: libc::pid_t,
    /// Where its groups are made.
    pub(super) places: Places,
    /// What is to be ready.
    pub(super) level: Level,
    /// What is to be hidden from it.
    pub(super) hidden: Vec<AbsPath>,
}

impl Waiting {
    /// Waits for a session, and holds it. It dies with the server while it waits, and not after.
    pub(super) fn run(mut self) -> io::Result<ExitCode> {
        process::die_with_parent(true)?;
        // A server that died before the line above would be waited for in vain.
        if process::parent() != self.server {
            return Ok(ExitCode::FAILURE);
        }
        let left = hold::isolate();
        let ready = Readiness::make(self.level, &self.hidden, std::mem::take(&mut self.places));
        let stream = self.accept()?;
        // The server hears of it late, and may take us for one that waits.
        signals::ignore_dismissal();
        process::die_with_parent(false)?;
        let Self { listener, taken, .. } = self;
        drop(listener);
        // Not before, for the server takes a processor to hear it.
        let said = move |level: Option<Level>| {
            taken.tell(Event::Taken(process::own()));
            level.into_iter().for_each(|level| taken.tell(Event::Asked(level)));
        };
        Ok(hold::hold_for(Caller::over(stream)?, left, Prepared::Ready(Box::new(ready)), said))
    }

    fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept()?;
            if peer::is_process(&stream, self.keeper) {
                return Ok(stream);
            }
        }
    }
}
