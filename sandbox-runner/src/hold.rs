//! The `hold` verb: starts a session and becomes its holder.
//!
//! The order: leave the caller's terminal and descriptors behind · read the document · take what a session needs (directory, spool,
//! socket, terminal or pipes) · launch · answer · let go of the caller · hold. Everything that can fail for want of room fails before
//! the launch. If the answer reaches nobody, the session is ended at once: a session that nobody knows of must not run.

use crate::confinement::{Confinement, Wanted};
use crate::holder::{Ends, Held, Holder};
use crate::kernel::{descriptor, process, signals};
use crate::launch::{Image, LaunchError, Streams, launch};
use crate::namespaces::Namespaces;
use crate::session_dir::SessionDir;
use crate::terminal::Terminal;
use capstan_types::control;
use capstan_types::launch::{LaunchAnswer, LaunchSpec, Refusal, Stdio};
use capstan_types::policy::Level;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

/// The longest launch document, in bytes.
const MAX_DOCUMENT: u64 = 1 << 20;

/// Reads a launch document from standard input, starts the session, answers on standard output, and holds the session to its end.
pub(crate) fn hold() -> ExitCode {
    match start() {
        Ok((holder, answer)) => {
            let answered = tell(&answer);
            let _ = descriptor::detach_standard_streams();
            match answered {
                Ok(()) => holder.run(),
                Err(_) => holder.end_unclaimed(),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = tell(&LaunchAnswer::Refused(error.refusal));
            ExitCode::FAILURE
        }
    }
}

fn tell(answer: &LaunchAnswer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

fn start() -> Result<(Holder, LaunchAnswer), LaunchError> {
    isolate().map_err(|error| LaunchError::host("leave the caller", &error))?;
    let spec = read_document()?;
    let image = Image::of(&spec)?;
    let dir =
        SessionDir::enter(spec.dir.as_path()).map_err(|error| LaunchError::host("enter the session's directory", &error))?;
    match begin(&spec, &image, &dir, None) {
        Ok((held, answer)) => Ok((Holder::new(held, dir, &spec.limits), answer)),
        Err(error) => {
            dir.abandon();
            Err(error)
        }
    }
}

/// Stops being a part of whoever started us: its descriptors, its terminal, its permissions for new files, its users' curiosity.
fn isolate() -> io::Result<()> {
    descriptor::close_inherited()?;
    process::leave_session();
    signals::ignore_hang_ups();
    process::hide_memory()?;
    process::become_subreaper()?;
    process::set_umask(0o077);
    Ok(())
}

fn invalid(reason: String) -> LaunchError {
    Refusal::Document { reason }.into()
}

fn read_document() -> Result<LaunchSpec, LaunchError> {
    let mut document = Vec::new();
    let read = io::stdin().lock().take(MAX_DOCUMENT + 1).read_to_end(&mut document);
    let length = read.map_err(|error| LaunchError::host("read the launch document", &error))?;
    if length as u64 > MAX_DOCUMENT {
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
    ahead: Option<Namespaces>,
) -> Result<(Held, LaunchAnswer), LaunchError> {
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
    let pid = launch(image, &streams, &confinement, &spec.limits)?;
    let slave = match streams {
        Streams::Terminal { slave } => Some(slave),
        Streams::Pipes { .. } | Streams::Inherited => None,
    };
    let answer = LaunchAnswer::Started {
        pid: pid.unsigned_abs(),
        holder: std::process::id(),
        enforced: confinement.enforced(&spec.limits),
    };
    let inside = confinement.into_inside();
    Ok((Held { pid, ends, slave, spool, listener, signals, inside }, answer))
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
