//! Reads what the node and its host have left. It blocks for a few small files and one question about a file system.
//!
//! What cannot be read is left out, and is not judged.

use super::cgroup::Groups;
use super::decision::Rooms;
use capstan_types::load::{Resource, Room};
use rustix::process::{Resource as Limit, getrlimit, getuid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Reads it.
#[derive(Debug)]
pub(super) struct Sampler {
    groups: Groups,
    /// Where the node's state lies.
    state: PathBuf,
}

impl Sampler {
    pub(super) fn new(state: &Path) -> Self {
        Self { groups: Groups::find(), state: state.to_owned() }
    }

    pub(super) fn rooms(&self) -> Rooms {
        let (disk, inodes) = disk(&self.state);
        let rooms = [
            (Resource::Memory, tighter(memory(), self.groups.memory())),
            (Resource::Disk, disk),
            (Resource::Inodes, inodes),
            (Resource::Descriptors, descriptors()),
            (Resource::Processes, tighter(tighter(processes(), self.groups.pids()), own_processes())),
            (Resource::Terminals, terminals()),
        ];
        rooms.into_iter().filter_map(|(resource, room)| Some((resource, room?))).collect()
    }
}

/// How many threads this process has.
pub(super) fn threads() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("Threads:")?.trim().parse().ok()).unwrap_or(0)
}

fn tighter(one: Option<Room>, other: Option<Room>) -> Option<Room> {
    one.into_iter().chain(other).min_by_key(|room| room.free)
}

fn memory() -> Option<Room> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    Some(Room { free: of("MemAvailable:")?, total: of("MemTotal:")? })
}

/// What is left of the file system that holds a directory. It blocks for one question.
pub(crate) fn space(dir: &Path) -> Option<Room> {
    disk(dir).0
}

fn disk(dir: &Path) -> (Option<Room>, Option<Room>) {
    let Ok(said) = rustix::fs::statvfs(dir) else { return (None, None) };
    let space = Room { free: said.f_bavail * said.f_frsize, total: said.f_blocks * said.f_frsize };
    // Some file systems make them as they are needed, and say that there are none.
    let inodes = (said.f_files > 0).then_some(Room { free: said.f_favail, total: said.f_files });
    (Some(space), inodes)
}

fn descriptors() -> Option<Room> {
    let total = getrlimit(Limit::Nofile).current?;
    // Newer kernels tell the number as the directory's length; listing it would make an inode for each.
    let told = fs::metadata("/proc/self/fd").ok()?.size();
    let open = if told > 0 { told } else { fs::read_dir("/proc/self/fd").ok()?.count() as u64 };
    Some(Room { free: total.saturating_sub(open), total })
}

fn processes() -> Option<Room> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    let there: u64 = load.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()?;
    let limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"];
    let total = limits.iter().filter_map(|path| number(path)).min()?;
    Some(Room { free: total.saturating_sub(there), total })
}

/// What the limit of this user leaves. Root is not held to it. Others' processes are counted in: it is looked closer only where that
/// would make a difference.
fn own_processes() -> Option<Room> {
    let uid = getuid();
    let total = getrlimit(Limit::Nproc).current.filter(|_| !uid.is_root())?;
    let there = processes().map(|all| all.total - all.free)?;
    let used = if there < total / 2 { there } else { processes_of(uid.as_raw()) };
    Some(Room { free: total.saturating_sub(used), total })
}

fn processes_of(uid: u32) -> u64 {
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let own = entries.flatten().filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == uid));
    own.filter(|entry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        // The number of links of this directory is two more than that of the threads.
        .map(|entry| fs::metadata(entry.path().join("task")).map_or(1, |meta| meta.nlink().saturating_sub(2)))
        .sum()
}

fn terminals() -> Option<Room> {
    let of = |name: &str| number(&format!("/proc/sys/kernel/pty/{name}"));
    let total = of("max")?.saturating_sub(of("reserve").unwrap_or(0));
    Some(Room { free: total.saturating_sub(of("nr")?), total })
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_can_be_read_here_and_nothing_has_more_free_than_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let rooms = Sampler::new(dir.path()).rooms();
        for resource in [Resource::Memory, Resource::Disk, Resource::Descriptors, Resource::Processes] {
            let room = rooms.get(&resource).unwrap_or_else(|| panic!("{resource} cannot be read"));
            assert!(room.free <= room.total && room.total > 0, "{resource}: {room:?}");
        }
        assert!(threads() >= 1);
        assert!(processes_of(getuid().as_raw()) >= 1);
    }

    #[test]
    fn an_opened_file_is_one_descriptor_less() {
        let free = || descriptors().unwrap().free;
        let files: Vec<_> = (0..64).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let with = free();
        drop(files);
        // Other tests of this process open files as well.
        assert!(free() >= with + 32, "{with}");
    }
}
