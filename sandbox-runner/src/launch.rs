//! The one place where a process is created. The order of steps:
//!
//! 1. Prepared by the caller, while it may still allocate and fail in words: the [`Image`] (program, arguments, environment, directory),
//!    the [`Streams`] (terminal, pipes, or the caller's own), the [`Confinement`] (Landlock ruleset, seccomp programs).
//! 2. A pipe that closes at exec, by which the child reports the step that failed.
//! 3. Fork, into the session's pid namespace where there is one: the program's parent is the holder all the same.
//! 4. In the child ([`child`]): the session's cgroups · signals reset · own session, and terminal · standard streams · every other descriptor marked to close ·
//!    umask and resource limits · the session's namespaces, user and root · a keyring of its own · capabilities dropped, `no_new_privs` ·
//!    working directory · Landlock · seccomp · exec, trying each place in PATH. This program has one thread, so the child may allocate.
//! 5. The parent reads the pipe: nothing means that the program runs; a step and an errno become a [`LaunchError`].
//!
//! Invariant: a program either runs with everything above in force, or does not run.

mod child;
pub(crate) mod fault;
mod image;

pub(crate) use fault::LaunchError;
pub(crate) use image::Image;

use crate::bounds::Bounds;
use crate::confinement::Confinement;
use crate::kernel::{birth, process};
use crate::namespaces::Namespaces;
use fault::{Fault, Step};
use std::io::{PipeWriter, Read};
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

/// Starts the program and gives its process id once it is certain that it runs.
pub(crate) fn launch(
    image: &Image,
    streams: &Streams,
    confinement: &Confinement,
    bounds: &Bounds,
) -> Result<libc::pid_t, LaunchError> {
    let order = child::Order {
        argv: image.argv_pointers(),
        env: image.env_pointers(),
        image,
        streams,
        confinement,
        joins: bounds.joins(),
        birthplace: bounds.birthplace(),
        limits: bounds.of_each_process(),
        parent: std::process::id(),
    };
    if let Some((namespaces, _)) = confinement.inside() {
        namespaces.await_root().map_err(|error| LaunchError::host("leave the host's root", &error))?;
    }
    let (mut reports, report_to) = std::io::pipe().map_err(|error| LaunchError::host("make a pipe", &error))?;
    let pid = match confinement.inside() {
        // Root of a container may lack the right, too.
        Some((namespaces, _)) if process::user() != 0 || namespaces.fork_inside().is_err() => {
            by_proxy(namespaces, &order, &report_to)?
        }
        _ => birth::start(order.birth(false), child::become_program, &(&order, &report_to))
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
fn by_proxy(namespaces: &Namespaces, order: &child::Order<'_>, report_to: &PipeWriter) -> Result<libc::pid_t, LaunchError> {
    let (mut numbers, number_to) = std::io::pipe().map_err(|error| LaunchError::host("make a pipe", &error))?;
    let proxy = match process::fork().map_err(|error| LaunchError::host("make a process", &error))? {
        None => child::fork_as_sibling(namespaces, order, report_to, &number_to),
        Some(pid) => pid,
    };
    drop(number_to);
    let mut number = [0; size_of::<libc::pid_t>()];
    let told = numbers.read_exact(&mut number);
    let _ = process::wait_for(proxy);
    told.map_err(|error| LaunchError::host("enter the session's namespaces", &error))?;
    Ok(libc::pid_t::from_ne_bytes(number))
}
