//! Nobody takes so much that others go without.

use crate::attack::Attack;

/// Without control groups, memory is what the processes of a session have mapped.
const UNMAPPED: &str = "memory that nobody has mapped is counted by control groups alone";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack::inside("resources-processes", "processes", "1500 processes").may_die(),
    Attack::inside("resources-threads", "threads", "1500 threads").may_die(),
    Attack::inside("resources-memory", "memory-touched", "4 GiB of memory").may_die(),
    Attack::inside("resources-memory-file", "memory-file", "4 GiB in a file in memory").may_die().held_for_root(UNMAPPED),
    Attack::inside("resources-shm", "shared-memory-disk", "3 GiB in /dev/shm").may_die(),
    Attack::inside("resources-tmp", "temporary-disk", "6 GiB in /tmp").may_die(),
    Attack::inside("resources-disk", "workspace-disk", "6 GiB in the workspace").may_die(),
    Attack::inside("resources-file-size", "sparse-file", "a file of 1 TiB").may_die(),
    Attack::inside("resources-descriptors", "descriptors", "17000 open files"),
    Attack::inside("resources-terminals", "terminals", "900 terminals"),
    Attack::inside("resources-locked", "locked-memory", "1 GiB of memory that cannot be swapped").of_root(),
];
