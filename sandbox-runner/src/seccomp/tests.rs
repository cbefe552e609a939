//! The programs of both machines are run here as the kernel would, family by family of calls.

mod equality;
mod interpreter;
mod lists;
mod reference;

use super::*;
use calls::{AARCH64, AARCH64_LIST, X86_64, X86_64_LIST};
use capstan_types::policy::Level;
use interpreter::{ALLOW, EPERM, Event};

const MACHINES: [(&Machine, &str); 2] = [(&X86_64, X86_64_LIST), (&AARCH64, AARCH64_LIST)];
const ALONE: Surroundings = Surroundings { own_network: true, own_ipc: true, own_mounts: true };
const SHARED: Surroundings = Surroundings { own_network: false, own_ipc: false, own_mounts: false };

fn writer() -> SandboxPolicy {
    SandboxPolicy::workspace_write(Vec::new())
}

fn online() -> SandboxPolicy {
    SandboxPolicy { network: Network::Full, ..writer() }
}

/// Asserts what the programs of every machine that has the call `name` answer it.
#[track_caller]
fn answers(policy: &SandboxPolicy, surroundings: Surroundings, name: &str, arguments: &[u64], expected: u32) {
    let mut known = false;
    for (machine, list) in MACHINES {
        let Some(number) = lists::number(list, name) else { continue };
        let program = tree::compiled(machine.audit, &Situation::of(policy, surroundings).ranges(machine));
        let answer = interpreter::run(&program, &Event::new(machine.audit, number, arguments));
        assert_eq!(answer, expected, "{name} {arguments:x?}: {answer:#x} under {:#x}", machine.audit);
        known = true;
    }
    assert!(known, "no machine has {name}");
}

/// Asserts that all of `names` are answered alike by every policy and everywhere, whatever their arguments.
#[track_caller]
fn always(names: &str, expected: u32) {
    for name in names.split_whitespace() {
        for (policy, surroundings) in [(SandboxPolicy::read_only(), SHARED), (writer(), ALONE), (online(), SHARED)] {
            for arguments in [[0; 6], [u64::MAX; 6]] {
                answers(&policy, surroundings, name, &arguments, expected);
            }
        }
    }
}

#[test]
fn what_programs_live_by_passes() {
    always(
        "read write mmap mprotect execve execveat fork vfork wait4 futex futex_waitv kill pipe2 splice sendmsg bind listen",
        ALLOW,
    );
    always(
        "connect accept4 setsockopt epoll_pwait2 inotify_init1 memfd_create io_submit pidfd_open getrandom rseq membarrier",
        ALLOW,
    );
}

#[test]
fn nothing_can_be_made_to_run_as_its_owner() {
    const CREATE: u64 = 0x40;
    for (name, before) in
        [("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("mknod", 1), ("mknodat", 2), ("creat", 1)]
    {
        for (mode, expected) in
            [(0o755, ALLOW), (0o4755, EPERM), (0o2755, EPERM), (0o1777, ALLOW), (0xdead_0000_0000_01ed, ALLOW)]
        {
            let arguments = [vec![0; before], vec![mode]].concat();
            answers(&writer(), ALONE, name, &arguments, expected);
        }
    }
    for (flags, mode, expected) in
        [(0, 0o4755, ALLOW), (CREATE, 0o4755, EPERM), (CREATE, 0o644, ALLOW), (0x0041_0000, 0o6755, EPERM)]
    {
        answers(&writer(), ALONE, "open", &[0, flags, mode], expected);
        answers(&writer(), ALONE, "openat", &[0, 0, flags, mode], expected);
    }
    always("openat2", interpreter::ENOSYS);
}

#[test]
fn debuggers_work_on_what_they_may_see() {
    always("ptrace process_vm_readv process_vm_writev", ALLOW);
    for harmless in [0, 0x8, 0x0004_0000, 0x0004_0008, 0xffff_ffff, 0xdead_beef_0004_0000] {
        answers(&writer(), SHARED, "personality", &[harmless], ALLOW);
    }
    // READ_IMPLIES_EXEC, MMAP_PAGE_ZERO, ADDR_COMPAT_LAYOUT, all of them with what is harmless.
    for flag in [0x0040_0000, 0x0010_0000, 0x0020_0000] {
        answers(&writer(), ALONE, "personality", &[flag], EPERM);
        answers(&writer(), ALONE, "personality", &[flag | 0x0004_0000], EPERM);
    }
}

#[test]
fn a_sandbox_may_be_made_narrower() {
    always("seccomp prctl landlock_create_ruleset landlock_add_rule landlock_restrict_self", ALLOW);
}

#[test]
fn nothing_reaches_into_the_kernel() {
    always("bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register", EPERM);
    always("kexec_load kexec_file_load init_module finit_module delete_module iopl ioperm modify_ldt uselib", EPERM);
}

#[test]
fn nothing_changes_the_host() {
    always("reboot swapon swapoff acct quotactl quotactl_fd sethostname setdomainname vhangup syslog", EPERM);
    always("settimeofday clock_settime clock_adjtime adjtimex", EPERM);
    always("migrate_pages move_pages mbind set_mempolicy set_mempolicy_home_node lsm_set_self_attr", EPERM);
}

#[test]
fn the_files_are_always_seen_from_the_same_place() {
    always("mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr", EPERM);
    always("chroot pivot_root unshare setns name_to_handle_at open_by_handle_at fanotify_init fanotify_mark", EPERM);
}

#[test]
fn what_others_hold_is_not_reached() {
    always("add_key request_key keyctl pidfd_getfd kcmp lookup_dcookie", EPERM);
}

#[test]
fn what_has_an_older_form_is_said_to_be_absent() {
    always("clone3 statmount listmount memfd_secret cachestat nfsservctl", interpreter::ENOSYS);
}

#[test]
fn threads_and_forks_pass_and_namespaces_do_not() {
    const THREAD: u64 = 0x003d_0f00;
    const FORK: u64 = 0x0120_0011;
    for flags in [THREAD, FORK, 0x11] {
        answers(&writer(), ALONE, "clone", &[flags], ALLOW);
        for namespace in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
            answers(&writer(), ALONE, "clone", &[flags | namespace], EPERM);
            answers(&writer(), ALONE, "clone", &[flags | namespace | u64::MAX << 32], EPERM);
        }
    }
}

#[test]
fn a_terminal_cannot_be_typed_into_even_with_garbage_above_the_request() {
    for garbage in [0, 1 << 32, u64::MAX << 32] {
        for request in [0x5412, 0x541c, 0x5423] {
            answers(&online(), ALONE, "ioctl", &[0, request | garbage], EPERM);
        }
        for request in [0x5401, 0x5413, 0x5414, 0x541b] {
            answers(&SandboxPolicy::read_only(), SHARED, "ioctl", &[0, request | garbage], ALLOW);
        }
    }
}

#[test]
fn volumes_are_not_made_and_files_are_cloned() {
    for request in [0x5000_9401, 0x5000_940e, 0x5000_940f, 0x5000_9417, 0x5000_9418, 0x5000_943f] {
        answers(&writer(), ALONE, "ioctl", &[0, request], EPERM);
    }
    for request in [0x4004_9409, 0x4020_940d, 0xc018_9436] {
        answers(&writer(), ALONE, "ioctl", &[0, request], ALLOW);
    }
}

#[test]
fn limits_can_be_set_on_oneself_only() {
    answers(&writer(), ALONE, "prlimit64", &[0, 7, u64::MAX, u64::MAX], ALLOW);
    answers(&writer(), ALONE, "prlimit64", &[u64::MAX << 32], ALLOW);
    answers(&writer(), ALONE, "prlimit64", &[4711], EPERM);
}

/// Who has which sockets: the policy's network, whether there is a network of one's own, and whether more than Unix sockets are had.
fn networks() -> Vec<(Network, bool, bool)> {
    let hosts = || Network::Hosts(vec!["example.org".parse().unwrap()]);
    vec![
        (Network::None, false, false),
        (Network::None, true, false),
        (Network::Loopback, false, false),
        (Network::Loopback, true, true),
        (hosts(), false, false),
        (hosts(), true, true),
        (Network::Full, false, true),
        (Network::Full, true, true),
    ]
}

#[test]
fn the_host_is_not_reached_by_a_socket_unless_the_network_is_granted() {
    for (network, own_network, more) in networks() {
        let policy = SandboxPolicy { network, ..writer() };
        let surroundings = Surroundings { own_network, ..ALONE };
        for family in 0..64 {
            let granted = family == 1 || more && [2, 10, 16].contains(&family);
            // The kernel looks at the low half only, so what is above it must not change the answer.
            for (call, garbage) in [("socket", 0), ("socketpair", 0xdead_beef << 32)] {
                answers(&policy, surroundings, call, &[family | garbage, 1, 0], if granted { ALLOW } else { EPERM });
            }
        }
    }
}

#[test]
fn with_a_network_there_are_streams_and_datagrams_and_nothing_raw() {
    const FLAGS: u64 = 0x8_0800;
    for kind in 0..16 {
        let granted = if [1, 2].contains(&kind) { ALLOW } else { EPERM };
        for family in [2, 10] {
            answers(&online(), SHARED, "socket", &[family, kind, 0], granted);
            answers(&online(), SHARED, "socket", &[family, kind | FLAGS | 1 << 40, 0], granted);
        }
        answers(&online(), SHARED, "socket", &[1, kind, 0], ALLOW);
    }
    for protocol in [2, 33, 41, 50, 132, 136, 255, 256, 262, 0xffff_ffff] {
        answers(&online(), SHARED, "socket", &[2, 1, protocol], EPERM);
        answers(&online(), SHARED, "socket", &[10, 1, protocol | 1 << 32], EPERM);
    }
    for protocol in [0, 6, 17] {
        answers(&online(), SHARED, "socket", &[2, 2, protocol], ALLOW);
    }
}

#[test]
fn of_netlink_there_are_only_routes() {
    const RAW: u64 = 3;
    answers(&online(), SHARED, "socket", &[16, RAW, 0], ALLOW);
    for protocol in 1..32 {
        answers(&online(), SHARED, "socket", &[16, RAW, protocol], EPERM);
    }
}

#[test]
fn shared_queues_and_segments_need_a_namespace_of_their_own() {
    for name in ["shmget", "shmat", "semget", "semop", "msgget", "msgsnd", "mq_open", "mq_unlink"] {
        answers(&writer(), Surroundings { own_ipc: true, ..SHARED }, name, &[], ALLOW);
        answers(&writer(), Surroundings { own_ipc: false, ..ALONE }, name, &[], EPERM);
    }
}

#[test]
fn only_who_may_write_nothing_and_shares_the_mounts_cannot_change_metadata() {
    const SET_FLAGS: [u64; 2] = [0, 0x4008_6602];
    let reader = SandboxPolicy::read_only();
    let apart = Surroundings { own_mounts: true, ..SHARED };
    // Without bits that would be denied to all.
    for name in ["chmod", "fchmodat", "fchmodat2"] {
        answers(&reader, SHARED, name, &[], EPERM);
        answers(&reader, apart, name, &[], ALLOW);
        answers(&writer(), SHARED, name, &[], ALLOW);
    }
    for name in "lchown fchownat utimensat setxattr setxattrat removexattr file_setattr ioctl".split(' ') {
        answers(&reader, SHARED, name, &SET_FLAGS, EPERM);
        answers(&reader, apart, name, &SET_FLAGS, ALLOW);
        answers(&writer(), SHARED, name, &SET_FLAGS, ALLOW);
    }
}

#[test]
fn the_hash_is_that_of_what_is_denied() {
    let hash = |policy: &SandboxPolicy, surroundings| sha256(&programs(policy, surroundings).unwrap());
    let writer_here = hash(&writer(), SHARED);
    assert_eq!(writer_here.len(), 64);
    assert_eq!(writer_here, hash(&SandboxPolicy { level: Level::Full, ..writer() }, SHARED));
    for other in [hash(&SandboxPolicy::read_only(), SHARED), hash(&online(), SHARED), hash(&writer(), ALONE)] {
        assert_ne!(writer_here, other);
    }
}
