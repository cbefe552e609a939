//! The resource limits that a program starts with.

use capstan_types::limits::SessionLimits;
use rustix::process::Resource;

/// Each resource and its bound, soft and hard alike, so that the program cannot raise it again.
#[derive(Debug)]
pub(crate) struct ResourceLimits(Vec<(Resource, u64)>);

impl ResourceLimits {
    /// What the session's limits ask of the kernel for each process. `memory` is set where no cgroup bounds it, and `processes` where
    /// no cgroup does and the user is the session's own. Never a core dump: it would hold what the program had in memory.
    pub(crate) fn of(limits: &SessionLimits, memory: Option<u64>, processes: Option<u64>) -> Self {
        let optional = [
            processes.map(|count| (Resource::Nproc, count)),
            // The same for each as for the whole, which is watched: one process alone must not pass it between two looks.
            memory.map(|bytes| (Resource::Data, bytes)),
            // In whole seconds, and one more: the count of the whole session comes first, this is for when nobody counts.
            limits.cpu_time.map(|span| (Resource::Cpu, span.0.div_ceil(1000).saturating_add(1))),
            limits.open_files.map(|count| (Resource::Nofile, u64::from(count))),
            limits.file_bytes.map(|bytes| (Resource::Fsize, bytes)),
        ];
        Self([(Resource::Core, 0)].into_iter().chain(optional.into_iter().flatten()).collect())
    }

    /// The bounds to set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        self.0.iter().copied()
    }
}
