//! A program's process that was made before its session was known, and waits at the end of what can be done by then.
//!
//! It works in the holder's memory, and only while the holder stands still. A holder that dies takes it along: by the signal that the
//! kernel sends to it, or by the end of its pid namespace. One that is not needed, or does not suit, is ended.
#![expect(unsafe_code, reason = "what waits in our memory is handed its work by a pointer")]

use crate::cgroup::Cgroup;
use crate::confinement::Confinement;
use crate::kernel::baton::Baton;
use crate::kernel::{birth, process};
use crate::launch::Streams;
use crate::launch::child::{Early, Late, leave};
use crate::launch::fault::{Fault, Step};
use crate::namespaces::Namespaces;
use crate::ruleset::Ruleset;
use crate::seccomp::BpfProgram;
use std::io;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// A process that waits to become a program.
#[derive(Debug)]
pub(crate) struct Embryo {
    pid: libc::pid_t,
    shared: Box<Shared>,
    nature: Nature,
    /// What it stands on.
    _stack: birth::Stack,
}

/// What has been done to it, and cannot be undone.
#[derive(Debug)]
enum Nature {
    /// It is inside the namespaces of this init.
    Inside(libc::pid_t),
    /// It is held by these filters.
    Filtered(Vec<BpfProgram>),
}

/// What it has in common with its holder.
#[derive(Debug)]
struct Shared {
    baton: Baton,
    late: AtomicPtr<libc::c_void>,
    /// A fault, as [`written`] writes it; 0 is none.
    fault: AtomicU64,
}

impl Embryo {
    /// One for a session inside `namespaces`, whose root must be ready, with a network of its own.
    /// The `ruleset`, which must be the session's, is given the rules that all have.
    pub(crate) fn inside(namespaces: &Namespaces, ruleset: &Ruleset, cgroup: &Cgroup) -> io::Result<Self> {
        namespaces.fork_inside()?;
        let made = Self::make(&Early::ahead(Some((namespaces, ruleset)), &[], cgroup), Nature::Inside(namespaces.init()));
        // Whatever else is forked is none of the session's.
        namespaces.fork_outside()?;
        made
    }

    /// One for a session that sees the host, with these filters.
    pub(crate) fn filtered(filters: Vec<BpfProgram>, cgroup: &Cgroup) -> io::Result<Self> {
        let nature = Nature::Filtered(filters.clone());
        Self::make(&Early::ahead(None, &filters, cgroup), nature)
    }

    fn make(early: &Early<'_>, nature: Nature) -> io::Result<Self> {
        let shared = Box::new(Shared { baton: Baton::new(), late: AtomicPtr::new(null_mut()), fault: AtomicU64::new(0) });
        let (pid, stack) = birth::start_ahead(early.birth(false), live, &(early, &*shared), &shared.baton)?;
        let made = Self { pid, shared, nature, _stack: stack };
        if made.shared.baton.child_waits() { Ok(made) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }

    /// Whether it can become the program of such a session.
    pub(crate) fn suits(&self, confinement: &Confinement, streams: &Streams) -> bool {
        let same = match (&self.nature, confinement.inside()) {
            (Nature::Inside(init), Some((namespaces, _))) => *init == namespaces.init() && confinement.own_network(),
            (Nature::Filtered(filters), None) => confinement.is_some() && alike(filters, confinement.filters()),
            _ => false,
        };
        same && !matches!(streams, Streams::Inherited) && self.shared.baton.child_waits()
    }

    /// Has it become the program, and gives its process id; or the fault.
    pub(super) fn grow(mut self, late: &Late<'_>) -> Result<libc::pid_t, Fault> {
        self.shared.late.store((&raw const *late).cast_mut().cast(), Ordering::SeqCst);
        self.shared.baton.resume();
        match read(self.shared.fault.load(Ordering::SeqCst)) {
            Some(fault) => Err(fault),
            None => Ok(std::mem::take(&mut self.pid)),
        }
    }
}

impl Drop for Embryo {
    fn drop(&mut self) {
        // A program is no embryo any more.
        if self.pid != 0 {
            let _ = process::kill(self.pid, libc::SIGKILL).and_then(|()| process::wait_for(self.pid));
        }
    }
}

fn live((early, shared): &(&Early<'_>, &Shared), placed: bool) -> ! {
    let shared = *shared;
    if early.apply(placed, false).is_err() {
        // It is tried again for the session, where it can be said what failed.
        leave(125);
    }
    shared.baton.pause();
    // SAFETY: whoever has us go on has put it there, and keeps it until we are gone.
    let late = unsafe { &*shared.late.load(Ordering::SeqCst).cast::<Late<'_>>() };
    shared.fault.store(written(late.apply()), Ordering::SeqCst);
    leave(125)
}

/// A fault as a number, which is never 0.
fn written(fault: Fault) -> u64 {
    let [step, a, b, c, d] = fault.encode();
    u64::from_ne_bytes([step, a, b, c, d, 0, 0, 1])
}

fn read(number: u64) -> Option<Fault> {
    let [bytes @ .., _, _, _] = number.to_ne_bytes();
    (number != 0).then(|| Fault::decode(&bytes).unwrap_or(Fault { step: Step::Report, errno: 0 }))
}

fn alike(one: &[BpfProgram], other: &[BpfProgram]) -> bool {
    let plain = |program: &BpfProgram| program.iter().map(|line| (line.code, line.jt, line.jf, line.k)).collect::<Vec<_>>();
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| plain(one) == plain(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_being_a_number() {
        for errno in [0, libc::ENOENT, i32::MAX] {
            let fault = Fault { step: Step::Report, errno };
            assert_eq!(read(written(fault)), Some(fault));
        }
        assert_eq!(read(0), None);
    }
}
