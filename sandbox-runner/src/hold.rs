//! Starting a session for a caller, and becoming its holder. The `hold` verb does it for whoever started this process; `serve` for a
//! connection.
//!
//! The order: leave the caller's terminal and descriptors behind · read the document · take what a session needs (directory, spool,
//! socket, terminal or pipes) · launch · answer · let go of the caller · hold. Everything that can fail for want of room fails before
//! the launch. If the answer reaches nobody, the session is ended at once: a session that nobody knows of must not run.

mod caller;
mod ready;
mod streams;

pub(crate) use caller::{Caller, MAX_DOCUMENT};
pub(crate) use ready::{Prepared, Readiness};

use crate::bounds::Bounds;
use crate::confinement::{Confinement, Wanted};
use crate::holder::{Held, Holder};
use crate::kernel::signals::{self, Signals};
use crate::kernel::{descriptor, process};
use crate::launch::{Image, LaunchError, Streams, launch};
use crate::session_dir::SessionDir;
use capstan_types::control;
use capstan_types::launch::{LaunchAnswer, LaunchSpec, Refusal};
use capstan_types::policy::Level;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Reads a launch document from standard input, starts the session, answers on standard output, and holds the session to its end.
pub(crate) fn hold() -> ExitCode {
    let left = descriptor::close_inherited().and_then(|()| isolate());
    hold_for(Caller::Streams, left, Prepared::Nothing, drop)
}

/// Starts the session that `caller` asks for, answers, and holds it to its end. `left` is whether this process has become one of its
/// own: see [`isolate`]. `said` is told, once the caller has its answer, how strong a
/// sandbox it asked for, if it has one.
pub(crate) fn hold_for(
    mut caller: Caller,
    left: io::Result<()>,
    prepared: Prepared,
    said: impl FnOnce(Option<Level>),
) -> ExitCode {
    match left.map_err(|error| LaunchError::host("leave the caller", &error)).and_then(|()| start(&mut caller, prepared)) {
        Ok((holder, answer, level)) => {
            let taken = caller.tell(&answer);
            said(Some(level));
            let taken = taken.and_then(|()| caller.await_taken());
            let connection = caller.let_go();
            match taken {
                Ok(()) => holder.hear(connection).run(),
                Err(_) => holder.end_unclaimed(),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = caller.tell(&LaunchAnswer::Refused(error.refusal));
            said(None);
            ExitCode::FAILURE
        }
    }
}

fn start(caller: &mut Caller, prepared: Prepared) -> Result<(Holder, LaunchAnswer, Level), LaunchError> {
    let spec = understand(caller.document())?;
    let image = Image::of(&spec)?;
    let dir =
        SessionDir::enter(spec.dir.as_path()).map_err(|error| LaunchError::host("enter the session's directory", &error))?;
    match begin(&spec, &image, &dir, prepared) {
        Ok((held, answer)) => Ok((Holder::new(held, dir), answer, ready::level(&spec))),
        Err(error) => {
            dir.abandon();
            Err(error)
        }
    }
}

/// Stops being a part of whoever started us: its terminal, its permissions for new files, its users' curiosity. Descriptors are closed by
/// whoever knows which.
pub(crate) fn isolate() -> io::Result<()> {
    withdraw()?;
    process::become_subreaper()
}

/// [`isolate`] for a process that holds no session itself, and adopts nobody's orphans.
pub(crate) fn withdraw() -> io::Result<()> {
    process::leave_session();
    signals::ignore_hang_ups();
    process::hide_memory()?;
    process::set_umask(0o077);
    Ok(())
}

fn invalid(reason: String) -> LaunchError {
    Refusal::Document { reason }.into()
}

fn understand(document: io::Result<Vec<u8>>) -> Result<LaunchSpec, LaunchError> {
    let document = document.map_err(|error| LaunchError::host("read the launch document", &error))?;
    if document.len() > MAX_DOCUMENT {
        return Err(invalid(format!("it is longer than {MAX_DOCUMENT} bytes")));
    }
    let spec: LaunchSpec = serde_json::from_slice(&document).map_err(|error| invalid(error.to_string()))?;
    if spec.version != control::VERSION {
        let (theirs, ours) = (spec.version, control::VERSION);
        return Err(invalid(format!("it has version {theirs} and this runner reads {ours}; install both from one release")));
    }
    spec.limits.checked().map_err(|error| invalid(error.to_string()))?;
    Ok(spec)
}

fn begin(spec: &LaunchSpec, image: &Image, dir: &SessionDir, prepared: Prepared) -> Result<(Held, LaunchAnswer), LaunchError> {
    let level = ready::level(spec);
    // Nobody else is there to do it.
    let sweeps = matches!(prepared, Prepared::Nothing);
    // In this order, so that the process that waits goes before the groups that it is in.
    let Readiness { mut ahead, places, cgroup, signals, terminal, embryo } = prepared.into_readiness(spec, level);
    // What is not needed is not ended on the session's time.
    let spare = ahead.namespaces.take_if(|_| level < Level::Namespaces);
    let (cgroup, embryo) = ready::fit(cgroup, embryo, &places, &spec.limits);
    let signals = signals.map_or_else(Signals::open, Ok).map_err(|error| LaunchError::host("read signals", &error))?;
    let spool = dir.spool(&spec.limits);
    let listener = dir.listen().map_err(|error| LaunchError::host("open the control socket", &error))?;
    let wanted = Wanted {
        policy: &spec.policy,
        home: spec.env.get("HOME").map(Path::new),
        protected: spec.protected.as_deref(),
        strongest: spec.strongest.unwrap_or(Level::Full),
        root_allowed: spec.root_allowed,
    };
    let confinement = Confinement::prepare(&wanted, ahead)?;
    let (ends, streams) = streams::open(spec.stdio, confinement.ptmx(), terminal)
        .map_err(|error| LaunchError::host("open a terminal or pipes", &error))?;
    let bounds = Bounds::of(cgroup, &spec.limits, confinement.own_user());
    let embryo = embryo.filter(|embryo| embryo.suits(&confinement, &streams));
    confinement.demand(spec.policy.level, &bounds)?;
    let pid = launch(image, &streams, &confinement, &bounds, embryo)?;
    let slave = match streams {
        Streams::Terminal { slave } => Some(slave),
        Streams::Pipes { .. } | Streams::Inherited => None,
    };
    let answer =
        LaunchAnswer::Started { pid: pid.unsigned_abs(), holder: std::process::id(), enforced: confinement.enforced(&bounds) };
    let inside = confinement.into_inside();
    Ok((Held { pid, ends, slave, spool, listener, signals, inside, spare, bounds, sweeps: sweeps.then_some(places) }, answer))
}
