//! Version 1: a hierarchy of its own for each controller.

use super::Controller;
use super::group::Group;
use std::io;
use std::path::Path;
use std::time::Duration;

/// In which span, in microseconds, a group gets its share of the processors.
const PERIOD: u64 = 100_000;

/// Makes a group below `parent` that bounds `controller` to `value`. Joined by `tasks` rather than by `cgroup.procs`: the process that
/// joins has one thread, and for a single thread the kernel need not bring all forks of the host to a halt.
pub(super) fn make(parent: &Path, name: &str, controller: Controller, value: u64) -> io::Result<Group> {
    let mut group = Group::make(parent, name, "tasks")?;
    bound(&group, controller, value)?;
    match controller {
        Controller::Memory => group.keep("memory.oom_control"),
        Controller::Pids => group.keep("pids.events"),
        Controller::Cpu => {}
    }
    Ok(group)
}

/// Bounds `controller` to `value`.
pub(super) fn bound(group: &Group, controller: Controller, value: u64) -> io::Result<()> {
    match controller {
        Controller::Memory => {
            group.write("memory.limit_in_bytes", &value.to_string())?;
            // With swap, or a session would go on in it. The file is missing where the kernel does not count swap.
            match group.write("memory.memsw.limit_in_bytes", &value.to_string()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        }
        Controller::Pids => group.write("pids.max", &value.to_string()),
        Controller::Cpu => group.write("cpu.cfs_quota_us", &(value * PERIOD / 1000).to_string()),
    }
}

/// Whether a process was killed for want of memory, and the group, not the host, was what had no more. How far the group came up to its
/// limit says the latter: the counts of failures stay at zero on some kernels.
pub(super) fn out_of_memory(group: &Group) -> bool {
    let was_full = || {
        let (most, limit) = (group.number("memory.max_usage_in_bytes")?, group.number("memory.limit_in_bytes")?);
        Some(most >= limit - limit / 16)
    };
    group.count("memory.oom_control", "oom_kill").is_some_and(|count| count > 0) && was_full().unwrap_or(true)
}

/// The processor time of the group.
pub(super) fn cpu_time(group: &Group) -> Option<Duration> {
    group.number("cpuacct.usage").map(Duration::from_nanos)
}
