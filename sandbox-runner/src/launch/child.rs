//! The child between fork and exec: what was prepared is applied, and nothing is decided. It never returns.
//!
//! In two parts: what can be done before the session is known ([`Early`]), and the rest ([`Late`]). Every call that fails is reported as
//! its step and errno, and ends the child: none is optional unless the line says why.
#![expect(unsafe_code, reason = "between fork and exec there are only system calls")]

use crate::bounds::Bounds;
use crate::cgroup::Cgroup;
use crate::confinement::Confinement;
use crate::kernel::birth::{self, Birth};
use crate::kernel::privileges;
use crate::launch::fault::{Fault, Step};
use crate::launch::steps::{self, step};
use crate::launch::{Image, Streams};
use crate::namespaces::Namespaces;
use crate::rlimits::ResourceLimits;
use crate::ruleset::Ruleset;
use crate::seccomp::BpfProgram;
use std::fs::File;
use std::io::{PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// The part that no launch document is needed for.
pub(crate) struct Early<'a> {
    /// By which the session's cgroups are joined.
    joins: Vec<RawFd>,
    /// The one to be made in, and by what it is joined instead.
    birthplace: Option<(File, RawFd)>,
    parent: u32,
    /// Whether it is to lead a session of processes.
    leads: bool,
    /// Whether there is a sandbox.
    confined: bool,
    /// What to enter, the rules for what every root has, and whether the network is among it.
    inside: Option<(&'a Namespaces, &'a Ruleset, bool)>,
    /// What is attached now, for nothing follows that it denies.
    filters: &'a [BpfProgram],
}

impl<'a> Early<'a> {
    /// That of the session whose groups these are.
    pub(crate) fn of(confinement: &'a Confinement, streams: &Streams, bounds: &Bounds) -> Self {
        let inside = confinement.inside().zip(confinement.ruleset());
        let inside = inside.map(|((namespaces, _), rules)| (namespaces, rules, confinement.own_network()));
        Self {
            leads: !matches!(streams, Streams::Inherited),
            confined: confinement.is_some(),
            // Inside, the root is still to be shown.
            filters: if inside.is_some() { &[] } else { confinement.filters() },
            inside,
            ..Self::ahead(None, &[], bounds.cgroup())
        }
    }

    /// That of a session that is to come: of a sandbox inside such namespaces with a network of its own, or of one with `filters`.
    pub(crate) fn ahead(inside: Option<(&'a Namespaces, &'a Ruleset)>, filters: &'a [BpfProgram], cgroup: &Cgroup) -> Self {
        Self {
            joins: cgroup.joins().collect(),
            birthplace: cgroup.birthplace(),
            parent: std::process::id(),
            leads: true,
            confined: true,
            inside: inside.map(|(namespaces, rules)| (namespaces, rules, true)),
            filters,
        }
    }

    /// How the program's process is to be made.
    pub(crate) fn birth(&self, sibling: bool) -> Birth {
        Birth { group: self.birthplace.as_ref().map(|(dir, _)| dir.as_raw_fd()), sibling }
    }

    /// Does it. `placed` says whether this process was made in its birthplace.
    pub(super) fn apply(&self, placed: bool, has_rights: bool) -> Result<(), Fault> {
        // First of all, so that nothing is used that is not counted, and while the groups can still be named.
        steps::join(&self.joins)?;
        self.birthplace.iter().filter(|_| !placed).try_for_each(|(_, by)| steps::join(&[*by]))?;
        // With a pid namespace, the death of init is the program's, and the holder's is init's.
        if self.inside.is_none() {
            steps::die_with(self.parent)?;
        }
        steps::reset_signals();
        if self.leads {
            steps::lead()?;
        }
        if let Some((namespaces, rules, own_network)) = self.inside {
            if !has_rights {
                steps::leave_groups(namespaces.user())?;
                namespaces.take_rights().map_err(step(Step::Namespaces))?;
            }
            namespaces.enter(own_network).map_err(step(Step::Namespaces))?;
            rules.grant_base().map_err(step(Step::Landlock))?;
        }
        if self.confined {
            steps::join_fresh_keyring()?;
            // A call for each capability: a holder that waits has the time for that.
            privileges::empty_bounding_set();
        }
        // Inside, they are needed until the root is shown.
        if self.confined && self.inside.is_none() {
            steps::drop_powers()?;
        }
        steps::attach(self.filters)
    }
}

/// The rest, made when the session is known.
pub(crate) struct Late<'a> {
    argv: Vec<*const libc::c_char>,
    env: Vec<*const libc::c_char>,
    image: &'a Image,
    streams: &'a Streams,
    confinement: &'a Confinement,
    limits: ResourceLimits,
}

impl<'a> Late<'a> {
    pub(crate) fn of(image: &'a Image, streams: &'a Streams, confinement: &'a Confinement, bounds: &Bounds) -> Self {
        let (argv, env) = (image.argv_pointers(), image.env_pointers());
        Self { argv, env, image, streams, confinement, limits: bounds.of_each_process() }
    }

    /// Does it, and executes the program.
    pub(super) fn apply(&self) -> Fault {
        self.prepare().err().unwrap_or_else(|| exec(self))
    }

    fn prepare(&self) -> Result<(), Fault> {
        steps::close_at_exec()?;
        steps::take(self.streams)?;
        let ruleset = self.confinement.ruleset();
        if let Some((namespaces, view)) = self.confinement.inside() {
            view.show(namespaces.user()).map_err(step(Step::Root))?;
            ruleset.map_or(Ok(()), |ruleset| ruleset.grant_writable(view.writable())).map_err(step(Step::Landlock))?;
        }
        // Only now: the program's few open files would not be enough for what is opened above.
        steps::limit(&self.limits)?;
        if self.confinement.inside().is_some() {
            steps::drop_powers()?;
        }
        // After the capabilities: a directory that the program itself could not enter must not be entered for it.
        steps::enter_directory(self.image.cwd())?;
        if let Some(ruleset) = ruleset {
            if let Streams::Terminal { slave } = self.streams {
                ruleset.grant_terminal(slave.as_fd()).map_err(step(Step::Landlock))?;
            }
            steps::restrict(ruleset)?;
        }
        if self.confinement.inside().is_some() { steps::attach(self.confinement.filters()) } else { Ok(()) }
    }
}

/// What the child works with, and where it reports.
pub(crate) type Errand<'a> = (&'a Early<'a>, &'a Late<'a>, &'a PipeWriter);

/// Turns this process into the program, or reports why not and exits. `placed` says whether it was made in its birthplace.
pub(crate) fn become_program((early, late, report_to): &Errand<'_>, placed: bool) -> ! {
    let fault = early.apply(placed, false).err().unwrap_or_else(|| late.apply());
    give_up(fault, report_to)
}

/// As [`become_program`], with all rights in the user namespace already.
fn become_program_inside((early, late, report_to): &Errand<'_>, placed: bool) -> ! {
    let fault = early.apply(placed, true).err().unwrap_or_else(|| late.apply());
    give_up(fault, report_to)
}

/// Enters the user namespace, and forks the program into the pid namespace as a child of our parent.
pub(crate) fn fork_as_sibling(namespaces: &Namespaces, errand: &Errand<'_>, mut number_to: &PipeWriter) -> ! {
    let (early, _, report_to) = errand;
    if let Err(error) = namespaces.take_rights().and_then(|()| namespaces.fork_inside()) {
        give_up((Step::Namespaces, error).into(), report_to)
    }
    match birth::start(early.birth(true), become_program_inside, errand) {
        Ok(pid) => {
            let _ = number_to.write_all(&pid.to_ne_bytes());
            leave(0)
        }
        Err(error) => give_up((Step::Namespaces, error).into(), report_to),
    }
}

fn give_up(fault: Fault, report_to: &PipeWriter) -> ! {
    let report = fault.encode();
    // SAFETY: the buffer is live.
    unsafe { libc::write(report_to.as_raw_fd(), report.as_ptr().cast(), report.len()) };
    leave(125)
}

/// Ends this process without running anything of its parent's.
pub(super) fn leave(code: i32) -> ! {
    // SAFETY: takes an integer, and runs nothing of ours.
    unsafe { libc::_exit(code) }
}

/// Tries each candidate as a shell would: what is missing is passed over, and remembered less than what is there but cannot be run.
fn exec(late: &Late<'_>) -> Fault {
    let mut best = Fault { step: Step::Exec, errno: libc::ENOENT };
    for candidate in late.image.candidates() {
        // SAFETY: the lists end in null and, like the path, live as long as the image.
        unsafe { libc::execve(candidate.as_ptr(), late.argv.as_ptr(), late.env.as_ptr()) };
        match steps::errno() {
            // SAFETY: the path is a live C string.
            libc::ENOENT if unsafe { libc::access(candidate.as_ptr(), libc::F_OK) } == 0 => {
                best = Fault { step: Step::Interpreter, errno: libc::ENOENT };
            }
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => best = Fault { step: Step::Exec, errno: libc::EACCES },
            errno => return Fault { step: Step::Exec, errno },
        }
    }
    best
}
