//! Starting a session for a caller, and becoming its holder. The `hold` verb does it for whoever started this process; `serve` for a
//! connection.
//!
//! The order: leave the caller's terminal and descriptors behind · read the document · take what a session needs (directory, spool,
//! socket, terminal or pipes) · launch · answer · let go of the caller · hold. Everything that can fail for want of room fails before
//! the launch. If the answer reaches nobody, the session is ended at once: a session that nobody knows of must not run.

mod caller;

pub(crate) use caller::{Caller, MAX_DOCUMENT};

use crate::bounds::Bounds;
use crate::cgroup::{Cgroup, Places};
use crate::confinement::{Ahead, Confinement, Wanted};
use crate::holder::{Ends, Held, Holder};
use crate::kernel::{descriptor, process, signals};
use crate::launch::{Image, LaunchError, Streams, launch};
use crate::namespaces::{Namespaces, User};
use crate::ruleset::Common;
use crate::session_dir::SessionDir;
use crate::terminal::Terminal;
use capstan_types::control;
use capstan_types::launch::{LaunchAnswer, LaunchSpec, Refusal, Stdio};
use capstan_types::limits::SessionLimits;
use capstan_types::policy::{Level, SandboxMode};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

/// What a holder can have ready before it knows its session.
///
/// Made by a holder of `serve` while it waits, so that it costs no session its time.
#[derive(Debug)]
pub(crate) struct Readiness {
    ahead: Ahead,
    places: Places,
    cgroup: Cgroup,
}

impl Readiness {
    /// Makes what can be made ahead for sessions whose home is the HOME of this process.
    pub(crate) fn make() -> Self {
        let home = std::env::var_os("HOME");
        // What cannot be made now is tried again for the session, where it can be said why.
        let mut namespaces = Namespaces::make(User::strongest(), home.as_deref().map(Path::new)).ok();
        // Most directories that a session is given are its node's, which is us.
        namespaces.iter_mut().for_each(|namespaces| {
            let _ = namespaces.owners().translate(process::owner());
        });
        let places = Places::find();
        let cgroup = Cgroup::make(&places, &SessionLimits::default());
        Self { ahead: Ahead { namespaces, rules: Common::make() }, places, cgroup }
    }

    /// Begins with what takes longest, so that init is at work while the rest is made.
    fn begin(spec: &LaunchSpec, inside: bool) -> Self {
        // What cannot be is said when it is needed.
        let begin = || Namespaces::begin(User::strongest(), spec.env.get("HOME").map(Path::new)).ok();
        let namespaces = inside.then(begin).flatten();
        let places = Places::find();
        let cgroup = Cgroup::make(&places, &spec.limits);
        Self { ahead: Ahead { namespaces, rules: None }, places, cgroup }
    }
}

/// Reads a launch document from standard input, starts the session, answers on standard output, and holds the session to its end.
pub(crate) fn hold() -> ExitCode {
    let left = descriptor::close_inherited().and_then(|()| isolate());
    hold_for(Caller::Streams, left, None)
}

/// Starts the session that `caller` asks for, answers, and holds it to its end. `left` is whether this process has become one of its
/// own: see [`isolate`].
pub(crate) fn hold_for(mut caller: Caller, left: io::Result<()>, ready: Option<Readiness>) -> ExitCode {
    match left.map_err(|error| LaunchError::host("leave the caller", &error)).and_then(|()| start(&mut caller, ready)) {
        Ok((holder, answer)) => {
            let taken = caller.tell(&answer).and_then(|()| caller.await_taken());
            let _life = caller.let_go();
            match taken {
                Ok(()) => holder.run(),
                Err(_) => holder.end_unclaimed(),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = caller.tell(&LaunchAnswer::Refused(error.refusal));
            ExitCode::FAILURE
        }
    }
}

fn start(caller: &mut Caller, ready: Option<Readiness>) -> Result<(Holder, LaunchAnswer), LaunchError> {
    let spec = understand(caller.document())?;
    let image = Image::of(&spec)?;
    let dir =
        SessionDir::enter(spec.dir.as_path()).map_err(|error| LaunchError::host("enter the session's directory", &error))?;
    match begin(&spec, &image, &dir, ready) {
        Ok((held, answer)) => Ok((Holder::new(held, dir), answer)),
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

fn begin(
    spec: &LaunchSpec,
    image: &Image,
    dir: &SessionDir,
    ready: Option<Readiness>,
) -> Result<(Held, LaunchAnswer), LaunchError> {
    let inside =
        spec.policy.mode != SandboxMode::DangerFullAccess && spec.strongest.is_none_or(|level| level >= Level::Namespaces);
    let Readiness { mut ahead, places, cgroup } = ready.unwrap_or_else(|| Readiness::begin(spec, inside));
    // What is not needed is not ended on the session's time.
    let spare = ahead.namespaces.take_if(|_| !inside);
    let signals = signals::Signals::open().map_err(|error| LaunchError::host("read signals", &error))?;
    let spool = dir.spool(&spec.limits).map_err(|error| LaunchError::host("make the output files", &error))?;
    let listener = dir.listen().map_err(|error| LaunchError::host("open the control socket", &error))?;
    let wanted = Wanted {
        policy: &spec.policy,
        home: spec.env.get("HOME").map(Path::new),
        protected: spec.protected.as_deref(),
        strongest: spec.strongest.unwrap_or(Level::Full),
        root_allowed: spec.root_allowed,
    };
    let confinement = Confinement::prepare(&wanted, ahead)?;
    let (ends, streams) =
        open_streams(spec.stdio, confinement.ptmx()).map_err(|error| LaunchError::host("open a terminal or pipes", &error))?;
    let bounds = Bounds::from_ahead(cgroup, &places, &spec.limits, confinement.own_user());
    let pid = launch(image, &streams, &confinement, &bounds)?;
    let slave = match streams {
        Streams::Terminal { slave } => Some(slave),
        Streams::Pipes { .. } | Streams::Inherited => None,
    };
    let answer =
        LaunchAnswer::Started { pid: pid.unsigned_abs(), holder: std::process::id(), enforced: confinement.enforced(&bounds) };
    let inside = confinement.into_inside();
    Ok((Held { pid, ends, slave, spool, listener, signals, inside, spare, bounds, places }, answer))
}

fn open_streams(stdio: Stdio, ptmx: Option<&OwnedFd>) -> io::Result<(Ends, Streams)> {
    match stdio {
        Stdio::Terminal(size) => {
            let (terminal, slave) = Terminal::open(size, ptmx)?;
            let (output, input) = (terminal.stream()?, terminal.stream()?);
            descriptor::set_nonblocking(output.as_fd())?;
            Ok((Ends { output, input: Some(input), terminal: Some(terminal) }, Streams::Terminal { slave }))
        }
        Stdio::Pipes => {
            let (theirs, ours) = io::pipe()?;
            let ours = File::from(OwnedFd::from(ours));
            descriptor::set_nonblocking(ours.as_fd())?;
            with_output_pipe(Some(ours), theirs.into())
        }
        Stdio::PipesNoInput => with_output_pipe(None, File::open("/dev/null")?.into()),
    }
}

/// One pipe for standard output and error, so that what was written first is read first.
fn with_output_pipe(ours: Option<File>, theirs: OwnedFd) -> io::Result<(Ends, Streams)> {
    let (output, write_to) = io::pipe()?;
    let output = File::from(OwnedFd::from(output));
    descriptor::set_nonblocking(output.as_fd())?;
    let streams = Streams::Pipes { input: theirs, output: write_to.into() };
    Ok((Ends { output, input: ours, terminal: None }, streams))
}
