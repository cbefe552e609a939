//! Killing a whole tree of processes.
//!
//! As the holder is a subreaper, nobody leaves its tree by losing a parent, by a new session or by ignoring a hang-up: every descendant is
//! reached from the holder through `/proc/PID/task/TID/children`. All are stopped before any is killed, since a tree that forks while it
//! is killed may be faster than the killing.

use crate::kernel::proc_file;
use crate::kernel::process::{PidFd, kill as signal};
use std::collections::BTreeSet;
use std::fs;

/// How often to look for processes that were forked while others were being stopped.
const MOST_ROUNDS: usize = 16;

/// A process and who should be its parent.
type Kin = (libc::pid_t, libc::pid_t);

/// Sends SIGKILL to every descendant of this process. Who is still there afterwards must be looked for again.
pub(crate) fn kill() {
    let mut stopped = BTreeSet::new();
    for _ in 0..MOST_ROUNDS {
        let fresh: Vec<Kin> = descendants().into_iter().filter(|kin| stopped.insert(kin.0)).collect();
        if fresh.is_empty() {
            break;
        }
        send(&fresh, libc::SIGSTOP);
    }
    send(&descendants(), libc::SIGKILL);
}

/// The numbers of all descendants.
pub(super) fn members() -> Vec<libc::pid_t> {
    descendants().into_iter().map(|(pid, _)| pid).collect()
}

fn own_pid() -> libc::pid_t {
    libc::pid_t::try_from(std::process::id()).unwrap_or_default()
}

fn descendants() -> Vec<Kin> {
    let mut found: Vec<Kin> = children(own_pid()).collect();
    let mut next = 0;
    while let Some((pid, _)) = found.get(next).copied() {
        found.extend(children(pid));
        next += 1;
    }
    found
}

fn children(of: libc::pid_t) -> impl Iterator<Item = Kin> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| proc_file::read(thread.path().join("children")).ok());
    lists.flat_map(move |list| {
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(|pid| (pid, of)).collect::<Vec<Kin>>()
    })
}

/// Signals processes that were seen as descendants, and their groups with them: a group is signalled in one step, which no member can
/// fork away from, however short it lives; and once, as a bomb of thousands may be one group.
fn send(kin: &[Kin], number: i32) {
    let groups: BTreeSet<libc::pid_t> = kin.iter().filter_map(|kin| send_one(*kin, number)).collect();
    // The program leads a session of its own, so none of its descendants can be in our group. Were one there all the same, its group
    // would be us.
    let Some(ours) = standing(own_pid()) else { return };
    for group in groups.into_iter().filter(|group| *group != ours.group) {
        let _ = signal(-group, number);
    }
}

/// Signals a process if it still is a descendant (its number may have become a stranger's since), and gives its group.
fn send_one((pid, parent): Kin, number: i32) -> Option<libc::pid_t> {
    let Ok(handle) = PidFd::open(pid) else {
        // Out of descriptors, for one. Our own children keep their numbers until we reap them, so those at least can be named.
        if parent == own_pid() {
            let _ = signal(pid, number);
        }
        return None;
    };
    let found = standing(pid).filter(|found| found.parent == parent || found.parent == own_pid())?;
    let _ = handle.signal(number);
    Some(found.group)
}

/// Where a process stands among others.
struct Standing {
    parent: libc::pid_t,
    group: libc::pid_t,
}

fn standing(pid: libc::pid_t) -> Option<Standing> {
    let stat = proc_file::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before them may hold anything, so the fields are counted from its closing bracket: state, parent, group.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map(str::parse);
    Some(Standing { parent: fields.next()?.ok()?, group: fields.next()?.ok()? })
}
