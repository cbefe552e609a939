//! The one place where a process is created. The order of steps:
//!
//! 1. Prepared by the caller, while it may still allocate and fail in words: the [`Image`] (program, arguments, environment, directory),
//!    the [`Streams`] (terminal, pipes, or the caller's own), the [`Confinement`] (Landlock ruleset, seccomp programs).
//! 2. Fork, into the session's pid namespace where there is one: the program's parent is the holder all the same.
//! 3. In the child ([`child`]), what needs no launch document: the session's cgroups · signals reset · own session, and umask · the session's
//!    namespaces, and user · the Landlock rules of what every root has · a keyring of its own · nothing left that exec could give; and where the host's root is seen, which nobody has to change any more, already
//!    `no_new_privs` · capabilities dropped · seccomp. A holder that waits has this done ahead ([`Embryo`]).
//! 4. And what needs it: every descriptor marked to close · standard streams, and terminal · the session's root · resource limits ·
//!    `no_new_privs` and capabilities dropped, if not yet · working directory · Landlock · seccomp, if not yet · exec, trying each place in
//!    PATH. This program has one thread, and stands still meanwhile, so the child may allocate.
//! 5. The child tells which step failed: by a pipe that closes at exec or, where it was made ahead, in the memory that is shared until
//!    then. Nothing means that the program runs; a step and an errno become a [`LaunchError`].
//!
//! Invariant: a program either runs with everything above in force, or does not run.

mod child;
mod embryo;
pub(crate) mod fault;
mod image;
mod steps;

pub(crate) use embryo::Embryo;
pub(crate) use fault::LaunchError;
pub(crate) use image::Image;

use crate::bounds::Bounds;
use crate::confinement::Confinement;
use crate::kernel::{birth, process};
use crate::namespaces::Namespaces;
use child::{Early, Late};
use fault::{Fault, Step};
use std::io::Read;
use std::os::fd::OwnedFd;

/// What the program's standard streams are connected to. The child's ends, which the caller drops after the launch.
#[derive(Debug)]
pub(crate) enum Streams {
    /// All three to a terminal, which becomes the controlling one of a new session.
    Terminal {
        /// The program's side of the terminal.
        slave: OwnedFd,
    },
    /// Input from one descriptor, output and errors to another, in a new session without a terminal.
    Pipes {
        /// Where standard input is read from.
        input: OwnedFd,
        /// Where standard output and error are written to.
        output: OwnedFd,
    },
    /// The caller's own, in the caller's session.
    Inherited,
}

/// Starts the program and gives its process id once it is certain that it runs. An `embryo` must suit it.
pub(crate) fn launch(
    image: &Image,
    streams: &Streams,
    confinement: &Confinement,
    bounds: &Bounds,
    embryo: Option<Embryo>,
) -> Result<libc::pid_t, LaunchError> {
    let late = Late::of(image, streams, confinement, bounds);
    if let Some(embryo) = embryo {
        return embryo.grow(&late).map_err(|fault| fault.explain(image));
    }
    let early = Early::of(confinement, streams, bounds);
    if let Some((namespaces, _)) = confinement.inside() {
        namespaces.await_root().map_err(|error| LaunchError::host("leave the host's root", &error))?;
    }
    let (mut reports, report_to) = std::io::pipe().map_err(|error| LaunchError::host("make a pipe", &error))?;
    let errand = (&early, &late, &report_to);
    let pid = match confinement.inside() {
        // Root of a container may lack the right, too.
        Some((namespaces, _)) if process::user() != 0 || namespaces.fork_inside().is_err() => by_proxy(namespaces, &errand)?,
        _ => birth::start(early.birth(false), child::become_program, &errand)
            .map_err(|error| LaunchError::host("make a process", &error))?,
    };
    drop(report_to);
    let mut report = Vec::new();
    reports.read_to_end(&mut report).map_err(|error| LaunchError::host("read the child's report", &error))?;
    if report.is_empty() {
        return Ok(pid);
    }
    let _ = process::wait_for(pid);
    let fault = Fault::decode(&report).unwrap_or(Fault { step: Step::Report, errno: 0 });
    Err(fault.explain(image))
}

/// As an ordinary user: only who has entered the user namespace may fork into the pid namespace, and the holder must not enter. So a
/// child does, and forks the program as the holder's.
fn by_proxy(namespaces: &Namespaces, errand: &child::Errand<'_>) -> Result<libc::pid_t, LaunchError> {
    let (mut numbers, number_to) = std::io::pipe().map_err(|error| LaunchError::host("make a pipe", &error))?;
    let proxy = match process::fork().map_err(|error| LaunchError::host("make a process", &error))? {
        None => child::fork_as_sibling(namespaces, errand, &number_to),
        Some(pid) => pid,
    };
    drop(number_to);
    let mut number = [0; size_of::<libc::pid_t>()];
    let told = numbers.read_exact(&mut number);
    let _ = process::wait_for(proxy);
    told.map_err(|error| LaunchError::host("enter the session's namespaces", &error))?;
    Ok(libc::pid_t::from_ne_bytes(number))
}
