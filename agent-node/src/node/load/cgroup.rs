//! The limits of the control groups that the node itself is in. Where a group is limited, less is free than the host says.

use capstan_types::load::Room;
use std::fs;
use std::path::{Path, PathBuf};

/// Where groups are looked for, by the controller that `/proc/self/cgroup` names: version 2 names none.
const PLACES: [(&str, &str); 4] = [
    ("", "/sys/fs/cgroup"),
    ("", "/sys/fs/cgroup/unified"),
    ("memory", "/sys/fs/cgroup/memory"),
    ("pids", "/sys/fs/cgroup/pids"),
];

/// The files of a group's limit and of its use.
const MEMORY: [(&str, &str); 2] = [("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")];
const PIDS: [(&str, &str); 1] = [("pids.max", "pids.current")];

/// The groups that the node is in, and those above them. Found once: a node stays where it is.
#[derive(Debug)]
pub(super) struct Groups {
    memory: Vec<Files>,
    pids: Vec<Files>,
}

#[derive(Debug)]
struct Files {
    limit: PathBuf,
    used: PathBuf,
    stat: PathBuf,
}

impl Groups {
    pub(super) fn find() -> Self {
        let listed = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let dirs: Vec<_> = PLACES.iter().flat_map(|(controller, root)| dirs(&listed, controller, Path::new(root))).collect();
        Self { memory: with(&dirs, &MEMORY), pids: with(&dirs, &PIDS) }
    }

    /// What the tightest of them leaves, when any has a limit. What the kernel would drop at once counts as free.
    pub(super) fn memory(&self) -> Option<Room> {
        tightest(&self.memory, |files| inactive(&files.stat))
    }

    /// Likewise for processes and threads.
    pub(super) fn pids(&self) -> Option<Room> {
        tightest(&self.pids, |_| 0)
    }
}

/// The group of `controller` and all above it, below `root`.
fn dirs(listed: &str, controller: &str, root: &Path) -> Vec<PathBuf> {
    let lines = listed.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let own = lines.filter(|(controllers, _)| controllers.split(',').any(|name| name == controller)).map(|(_, path)| path);
    own.flat_map(|path| Path::new(path.trim_start_matches('/')).ancestors()).map(|path| root.join(path)).collect()
}

fn with(dirs: &[PathBuf], pairs: &[(&str, &str)]) -> Vec<Files> {
    let files = dirs.iter().flat_map(|dir| {
        pairs.iter().map(|(limit, used)| Files { limit: dir.join(limit), used: dir.join(used), stat: dir.join("memory.stat") })
    });
    files.filter(|files| files.limit.exists() && files.used.exists()).collect()
}

fn tightest(groups: &[Files], droppable: impl Fn(&Files) -> u64) -> Option<Room> {
    let room = |files: &Files| {
        // `max` is no number, and means no limit.
        let total = number(&files.limit)?;
        let used = number(&files.used)?.saturating_sub(droppable(files));
        Some(Room { free: total.saturating_sub(used), total })
    };
    groups.iter().filter_map(room).min_by_key(|room| room.free)
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn inactive(stat: &Path) -> u64 {
    let text = fs::read_to_string(stat).unwrap_or_default();
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    // Version 1 counts the groups below only in the total.
    of("total_inactive_file ").or_else(|| of("inactive_file ")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_counts_and_what_could_be_dropped_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("memory.max", "max\n");
        write("memory.current", "1\n");
        write("a/memory.max", "1000\n");
        write("a/memory.current", "900\n");
        write("a/memory.stat", "anon 5\ninactive_file 300\n");
        write("a/b/memory.max", "5000\n");
        write("a/b/memory.current", "10\n");
        let dirs = dirs("4:pids:/else\n0::/a/b\n", "", dir.path());
        assert_eq!(dirs.len(), 3);
        let groups = with(&dirs, &MEMORY);
        assert_eq!(tightest(&groups, |files| inactive(&files.stat)), Some(Room { free: 400, total: 1000 }));
    }

    #[test]
    fn a_group_without_a_limit_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("pids.max"), "max\n").unwrap();
        fs::write(dir.path().join("pids.current"), "7\n").unwrap();
        assert_eq!(tightest(&with(&dirs("0::/\n", "", dir.path()), &PIDS), |_| 0), None);
        assert!(Groups::find().memory().is_none_or(|room| room.free <= room.total));
    }
}
