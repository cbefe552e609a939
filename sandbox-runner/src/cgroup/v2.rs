//! Version 2: one hierarchy, whose groups serve the controllers that the group above them hands down.

use super::Controller;
use super::group::Group;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In which span, in microseconds, a group gets its share of the processors.
const PERIOD: u64 = 100_000;

/// A group below which sessions get theirs, and what it hands down to them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    dir: PathBuf,
    controllers: Vec<String>,
}

impl Place {
    /// The best place for a runner whose own group is `own`: that group; or the one above it where that has controllers to hand down
    /// and was delegated to us. A group with processes in it can hand down none, so a service that is given a group
    /// (`Delegate=yes`) lives in one of its own below it (`DelegateSubgroup=`), beside its sessions.
    pub(super) fn find(own: PathBuf, user: u32) -> Self {
        let above = own.parent().filter(|above| is_delegated(above, user)).map(Self::at);
        let own = Self::at(&own);
        above.filter(|above| above.controllers.len() > own.controllers.len()).unwrap_or(own)
    }

    fn at(dir: &Path) -> Self {
        let handed_down = dir.join("cgroup.subtree_control");
        let offered = words(&dir.join("cgroup.controllers"));
        let mut controllers = words(&handed_down);
        for controller in Controller::ALL.map(Controller::name) {
            let missing = !controllers.iter().any(|it| it == controller) && offered.iter().any(|it| it == controller);
            if missing && fs::write(&handed_down, format!("+{controller}")).is_ok() {
                controllers.push(controller.to_owned());
            }
        }
        controllers.retain(|controller| Controller::ALL.iter().any(|known| known.name() == controller));
        Self { dir: dir.to_owned(), controllers }
    }

    /// The group to make sessions' groups in.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether groups made here can bound what `controller` stands for.
    pub(super) fn has(&self, controller: Controller) -> bool {
        self.controllers.iter().any(|name| name == controller.name())
    }
}

fn words(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether the manager of the host's groups has left this one to us: it is ours by its owner, or it is a unit's, within which we are in
/// a group of our own.
fn is_delegated(group: &Path, user: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = user != 0 && fs::metadata(group.join("cgroup.procs")).is_ok_and(|file| file.uid() == user);
    ours || group.extension().is_some_and(|kind| kind == "service" || kind == "scope")
}

/// Bounds `controller` to `value`.
pub(super) fn bound(group: &Group, controller: Controller, value: u64) -> io::Result<()> {
    match controller {
        Controller::Memory => {
            group.write("memory.max", &value.to_string())?;
            // Swap would extend the limit; where the kernel does not count it there is nothing to write to. What is left of a tree that
            // lost one process to the limit is ended anyway.
            let _ = group.write("memory.swap.max", "0");
            let _ = group.write("memory.oom.group", "1");
            Ok(())
        }
        Controller::Pids => group.write("pids.max", &value.to_string()),
        Controller::Cpu => group.write("cpu.max", &format!("{} {PERIOD}", value * PERIOD / 1000)),
    }
}

/// Whether a process was killed for want of memory, and the group, not the host, was what had no more.
pub(super) fn out_of_memory(group: &Group) -> bool {
    ["oom_kill", "oom"].into_iter().all(|key| group.count("memory.events", key).is_some_and(|count| count > 0))
}

/// The processor time of the group, which version 2 counts without any controller.
pub(super) fn cpu_time(group: &Group) -> Option<Duration> {
    group.count("cpu.stat", "usage_usec").map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain files in place of the kernel's: a controller that is asked for can be written down, as by one who may.
    fn group(dir: &Path, offered: &str, handed_down: &str) {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("cgroup.controllers"), offered).unwrap();
        fs::write(dir.join("cgroup.subtree_control"), handed_down).unwrap();
    }

    #[test]
    fn the_group_above_serves_where_it_was_delegated_and_hands_down_more() {
        let dir = tempfile::tempdir().unwrap();
        let unit = dir.path().join("capstan.service");
        group(&unit, "cpu memory pids io", "memory pids");
        group(&unit.join("node"), "memory pids", "");
        fs::remove_file(unit.join("node/cgroup.controllers")).unwrap();
        let place = Place::find(unit.join("node"), 0);
        assert_eq!(place, Place { dir: unit, controllers: vec!["memory".into(), "pids".into(), "cpu".into()] });
        assert!(place.has(Controller::Cpu));

        let slice = dir.path().join("system.slice");
        group(&slice, "memory pids", "memory pids");
        group(&slice.join("capstan.service"), "", "");
        let place = Place::find(slice.join("capstan.service"), 0);
        assert_eq!(place, Place { dir: slice.join("capstan.service"), controllers: Vec::new() });
    }

    #[test]
    fn limits_are_written_as_the_kernel_reads_them_and_its_counts_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("g");
        fs::create_dir(&own).unwrap();
        let made = |name: &str, text: &str| fs::write(own.join(name), text).unwrap();
        ["memory.max", "memory.swap.max", "cpu.max", "cgroup.procs"].into_iter().for_each(|file| made(file, ""));
        let group = Group::existing(&own, "cgroup.procs").unwrap();
        bound(&group, Controller::Memory, 4096).unwrap();
        bound(&group, Controller::Cpu, 1500).unwrap();
        assert_eq!((group.number("memory.max"), group.number("memory.swap.max")), (Some(4096), Some(0)));
        assert_eq!(group.read("cpu.max").as_deref(), Some("150000 100000"));
        made("memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 0\n");
        assert!(!out_of_memory(&group));
        made("memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\n");
        assert!(out_of_memory(&group));
        made("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n");
        assert!(!out_of_memory(&group), "the host had no memory, not the session");
        made("cpu.stat", "usage_usec 1234\nuser_usec 1000\n");
        assert_eq!(cpu_time(&group), Some(Duration::from_micros(1234)));
    }
}
