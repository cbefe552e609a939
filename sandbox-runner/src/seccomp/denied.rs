//! What is denied, as data. Each entry says what it would be good for to somebody who wants out.
//!
//! Not denied, because Landlock's domain already holds it to the session itself, and debuggers and tracers need it: `ptrace`,
//! `process_vm_readv`, `process_vm_writev`.

/// The number of a system call.
pub(super) type Call = i64;
/// The number of an address family.
pub(super) type Family = u64;

/// Denied on every machine and in every mode.
pub(super) const ALWAYS: &[Call] = &[
    // Another process's descriptors and kernel objects. Nothing ordinary uses them.
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Another kernel, or code in this one.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    // Large, often broken parts of the kernel; io_uring also makes its calls past this filter.
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Keys are the user's, not the session's.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Another view of the file system, in which the rules would be laid on other files.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Namespaces: capabilities within them open most of the kernel's surface.
    libc::SYS_unshare,
    libc::SYS_setns,
    // Files by handle, past every directory above them.
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // The host as a whole: its power, swap, accounts, quotas, names, clocks, log and terminals.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_lookup_dcookie,
    // Watching every file of a file system.
    libc::SYS_fanotify_init,
    // Memory placement, which is the host's to decide, and another process's as well.
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
];

/// Denied where the machine has them.
#[cfg(target_arch = "x86_64")]
pub(super) const MACHINE: &[Call] = &[
    libc::SYS_kexec_file_load,
    // The machine's ports.
    libc::SYS_iopl,
    libc::SYS_ioperm,
    // Loading a library the old way, past the loader.
    libc::SYS_uselib,
];
/// Denied where the machine has them.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const MACHINE: &[Call] = &[libc::SYS_kexec_file_load];

/// Changing what files are rather than what they hold. Landlock does not see these. Where nothing may be written none is needed; where
/// something may, builds need them.
#[cfg(target_arch = "x86_64")]
pub(super) const METADATA: &[Call] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
/// As on x86_64, without the calls that newer machines never had.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const METADATA: &[Call] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
];

// Not in the C library's list for every machine; numbers from 424 on are the same on every machine.
const FCHMODAT2: Call = 452;
const SETXATTRAT: Call = 463;
const REMOVEXATTRAT: Call = 466;
const OPEN_TREE_ATTR: Call = 467;
const FILE_SETATTR: Call = 469;

/// Requests that put keys into a terminal as if typed, take over the console's selection, or load a line discipline.
pub(super) const IOCTLS: &[u64] = &[0x5412, 0x541C, 0x5423];

/// Flags of `clone` that make namespaces: time is missing, for only `clone3` can ask for that.
pub(super) const NAMESPACES: &[u64] = &[
    0x0002_0000, // mounts
    0x0200_0000, // cgroups
    0x0400_0000, // host names
    0x0800_0000, // System V IPC
    0x1000_0000, // users
    0x2000_0000, // processes
    0x4000_0000, // network
];

const UNIX: Family = 1;
const INET: Family = 2;
const INET6: Family = 10;
const NETLINK: Family = 16;

/// The families of sockets without a network: none but those of this host's programs.
pub(super) const LOCAL_FAMILIES: &[Family] = &[UNIX];
/// The families of sockets with a network; netlink is how programs learn of interfaces. Not among them: raw packets, the virtual
/// machine's host, kernel cryptography and protocols that few people review.
pub(super) const NETWORK_FAMILIES: &[Family] = &[UNIX, INET, INET6, NETLINK];
