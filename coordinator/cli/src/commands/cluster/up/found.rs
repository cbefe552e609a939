//! Finds the processes of a cluster on this machine, and ends them.
//!
//! They are known by what they were started with, not by ids that somebody wrote down: a process that was started a moment before the command
//! died is found as well, and one that got the id of a dead member is not taken for it.

use super::layout::homes;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What members and the holders of their sessions are called. Others may work on the same files: an editor, `tail`.
const PROGRAMS: [&str; 3] = ["capstan", "capstan-sandbox", "etcd"];

/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(50);

/// A process of a member.
#[derive(Debug)]
pub(super) struct Found {
    /// Its id.
    pub(super) pid: i32,
    /// The member's name.
    pub(super) member: String,
    /// Whether it is the member itself, and not what holds one of its sessions.
    pub(super) itself: bool,
    handle: OwnedFd,
}

/// All of the cluster in `dir`, but this one.
pub(super) fn processes(dir: &Path) -> Vec<Found> {
    let homes = homes(dir);
    let own = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own);
    pids.filter_map(|pid| found(i32::try_from(pid).ok()?, &homes)).collect()
}

fn found(pid: i32, homes: &Path) -> Option<Found> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let name = fs::read_to_string(proc.join("comm")).ok()?;
    if !PROGRAMS.contains(&name.trim_end()) {
        return None;
    }
    // Opened before it is looked at: what is found out is then true of the process that is signalled.
    let handle = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    let (member, itself) = belongs(&proc, homes)?;
    Some(Found { pid, member, itself, handle })
}

fn belongs(proc: &Path, homes: &Path) -> Option<(String, bool)> {
    let environment = fs::read(proc.join("environ")).unwrap_or_default();
    let home = environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(b"CAPSTAN_HOME="));
    if let Some(member) = home.and_then(|home| member(home, homes)) {
        return Some((member, true));
    }
    let command = fs::read(proc.join("cmdline")).unwrap_or_default();
    let mut words = command.split(|byte| *byte == 0);
    let etcd = words.next().is_some_and(|program| program.ends_with(b"etcd"));
    if let Some(member) = words.find_map(|word| member(word, homes)) {
        return Some((member, etcd));
    }
    // A holder that no fork server started has nothing on its command line.
    let files = fs::read_dir(proc.join("fd")).ok()?.flatten();
    let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
    files.find_map(|file| member(file.as_os_str().as_bytes(), homes)).map(|member| (member, false))
}

/// Whose directory a path is in.
fn member(path: &[u8], homes: &Path) -> Option<String> {
    let below = Path::new(OsStr::from_bytes(path)).strip_prefix(homes).ok()?;
    Some(below.components().next()?.as_os_str().to_str()?.to_owned())
}

/// Asks those of `dir` that `which` picks to end, waits so long, and ends by force what is left. Says how many that were.
pub(super) async fn end(dir: &Path, patience: Duration, which: impl Fn(&Found) -> bool) -> usize {
    let picked = || processes(dir).into_iter().filter(|found| which(found)).collect::<Vec<_>>();
    let began = Instant::now();
    let mut asked = Vec::new();
    loop {
        let left = picked();
        if left.is_empty() {
            return 0;
        }
        if began.elapsed() > patience {
            return force(left, picked).await;
        }
        for found in left.iter().filter(|found| !asked.contains(&found.pid)) {
            // Gone already, if it cannot be told.
            let _ = pidfd_send_signal(&found.handle, Signal::TERM);
        }
        // Asked once: daemons take the second time for impatience.
        asked = left.iter().map(|found| found.pid).collect();
        tokio::time::sleep(LOOK).await;
    }
}

async fn force(left: Vec<Found>, picked: impl Fn() -> Vec<Found>) -> usize {
    let count = left.len();
    let mut left = left;
    // What the kernel does not end in that time, it will not end: a disk that does not answer.
    for _ in 0..40 {
        for found in &left {
            let _ = pidfd_send_signal(&found.handle, Signal::KILL);
        }
        tokio::time::sleep(LOOK).await;
        left = picked();
        if left.is_empty() {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_member_in_whose_directory_it_is() {
        let homes = Path::new("/h/up/members");
        let of = |path: &str| member(path.as_bytes(), homes);
        assert_eq!(of("/h/up/members/node-1"), Some("node-1".to_owned()));
        assert_eq!(of("/h/up/members/etcd/data"), Some("etcd".to_owned()));
        for other in ["/h/up/members", "/h/up/logs/etcd.log", "/h/up/members-2/x", "", "members/node-1"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_is_found_where_no_cluster_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(processes(dir.path()).is_empty());
    }
}
