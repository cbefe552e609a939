//! The resource limits that a program starts with.

use capstan_types::limits::SessionLimits;

/// The number by which the kernel knows a resource; its C type differs between libraries.
pub(crate) type Resource = libc::__rlimit_resource_t;

/// Each resource and its bound, soft and hard alike, so that the program cannot raise it again.
#[derive(Debug)]
pub(crate) struct ResourceLimits(Vec<(Resource, u64)>);

impl ResourceLimits {
    /// What the session's limits ask of the kernel. Never a core dump: it would hold what the program had in memory.
    pub(crate) fn of(limits: &SessionLimits) -> Self {
        let optional = [
            limits.processes.map(|count| (libc::RLIMIT_NPROC, u64::from(count))),
            limits.open_files.map(|count| (libc::RLIMIT_NOFILE, u64::from(count))),
            limits.file_bytes.map(|bytes| (libc::RLIMIT_FSIZE, bytes)),
        ];
        Self([(libc::RLIMIT_CORE, 0)].into_iter().chain(optional.into_iter().flatten()).collect())
    }

    /// The bounds to set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        self.0.iter().copied()
    }
}

/// The limits in words, for the proof that goes with the outcome.
pub(crate) fn described(limits: &SessionLimits) -> Vec<String> {
    let optional = [
        limits.total.map(|span| format!("total={}ms", span.0)),
        limits.idle.map(|span| format!("idle={}ms", span.0)),
        limits.processes.map(|count| format!("processes={count}")),
        limits.open_files.map(|count| format!("open_files={count}")),
        limits.file_bytes.map(|bytes| format!("file_bytes={bytes}")),
    ];
    let always = [
        format!("ownerless={}ms", limits.ownerless.0),
        format!("head={}", limits.head.bytes()),
        format!("tail={}", limits.tail.bytes()),
        "core=0".to_owned(),
    ];
    optional.into_iter().flatten().chain(always).collect()
}
