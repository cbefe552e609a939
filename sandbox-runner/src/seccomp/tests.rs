//! The programs are run here as the kernel would, over the calls that matter.

use super::*;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | 1;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | 38;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const NATIVE: u32 = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };
const I386: u32 = 0x4000_0003;

/// One program's answer: an interpreter of the few instructions that filters are made of.
fn run(program: &BpfProgram, data: &[u8; 64]) -> u32 {
    let (mut at, mut value) = (0_usize, 0_u32);
    loop {
        let sock_filter { code, jt, jf, k } = program[at].clone();
        let jump = |taken: bool| usize::from(if taken { jt } else { jf });
        at += 1;
        match code {
            0x20 => value = u32::from_ne_bytes(data[k as usize..][..4].try_into().unwrap()),
            0x54 => value &= k,
            0x05 => at += k as usize,
            0x15 => at += jump(value == k),
            0x25 => at += jump(value > k),
            0x35 => at += jump(value >= k),
            0x06 => return k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

/// What the kernel does: the most severe answer of all programs.
fn answer(policy: &SandboxPolicy, arch: u32, call: i64, arguments: [u64; 6]) -> u32 {
    let mut data = [0; 64];
    data[..4].copy_from_slice(&i32::try_from(call).unwrap().to_ne_bytes());
    data[4..8].copy_from_slice(&arch.to_ne_bytes());
    for (place, argument) in data[16..].chunks_mut(8).zip(arguments) {
        place.copy_from_slice(&argument.to_ne_bytes());
    }
    let severity = |answer: &u32| match answer & 0xffff_0000 {
        libc::SECCOMP_RET_KILL_PROCESS => 0,
        libc::SECCOMP_RET_KILL_THREAD => 1,
        libc::SECCOMP_RET_ERRNO => 2,
        _ => 3,
    };
    programs(policy).unwrap().iter().map(|program| run(program, &data)).min_by_key(severity).unwrap()
}

fn native(policy: &SandboxPolicy, call: i64, arguments: [u64; 6]) -> u32 {
    answer(policy, NATIVE, call, arguments)
}

fn write() -> SandboxPolicy {
    SandboxPolicy::workspace_write(Vec::new())
}

#[test]
fn ordinary_calls_pass_and_denied_ones_are_refused_whatever_their_arguments() {
    for call in 0..470 {
        let denied = denied::ALWAYS.contains(&call) || denied::MACHINE.contains(&call);
        let conditional = [libc::SYS_socket, libc::SYS_socketpair, libc::SYS_ioctl, libc::SYS_clone, libc::SYS_prlimit64];
        if conditional.contains(&call) || call == libc::SYS_clone3 {
            continue;
        }
        for arguments in [[0; 6], [u64::MAX; 6]] {
            assert_eq!(native(&write(), call, arguments), if denied { EPERM } else { ALLOW }, "call {call}");
        }
    }
}

#[test]
fn without_a_network_there_are_only_local_sockets() {
    let network = SandboxPolicy { network: capstan_types::policy::Network::Full, ..write() };
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        for family in 0..64_u64 {
            // The kernel takes the low half of the argument only, so what is above it must not change the answer.
            for garbage in [0, 0xdead_beef_0000_0000] {
                let arguments = [family | garbage, 1, 0, 0, 0, 0];
                let local = if family == 1 { ALLOW } else { EPERM };
                let granted = if [1, 2, 10, 16].contains(&family) { ALLOW } else { EPERM };
                assert_eq!(native(&write(), call, arguments), local, "family {family}");
                assert_eq!(native(&network, call, arguments), granted, "family {family}");
            }
        }
    }
}

#[test]
fn a_terminal_cannot_be_typed_into_even_with_garbage_above_the_request() {
    for garbage in [0, 0x1_0000_0000, u64::MAX << 32] {
        assert_eq!(native(&write(), libc::SYS_ioctl, [0, 0x5412 | garbage, 0, 0, 0, 0]), EPERM);
        assert_eq!(native(&write(), libc::SYS_ioctl, [0, 0x541C | garbage, 0, 0, 0, 0]), EPERM);
        assert_eq!(native(&write(), libc::SYS_ioctl, [0, 0x5413 | garbage, 0, 0, 0, 0]), ALLOW);
    }
}

#[test]
fn threads_and_forks_pass_and_namespaces_do_not() {
    const THREAD: u64 = 0x003d_0f00;
    const FORK: u64 = 0x0120_0011;
    for flags in [THREAD, FORK, 0x11] {
        assert_eq!(native(&write(), libc::SYS_clone, [flags, 0, 0, 0, 0, 0]), ALLOW, "{flags:#x}");
        for namespace in denied::NAMESPACES {
            assert_eq!(native(&write(), libc::SYS_clone, [flags | namespace, 0, 0, 0, 0, 0]), EPERM, "{namespace:#x}");
        }
    }
    assert_eq!(native(&write(), libc::SYS_clone3, [0; 6]), ENOSYS);
}

#[test]
fn limits_can_be_set_on_oneself_only() {
    assert_eq!(native(&write(), libc::SYS_prlimit64, [0; 6]), ALLOW);
    assert_eq!(native(&write(), libc::SYS_prlimit64, [4711, 0, 0, 0, 0, 0]), EPERM);
}

#[test]
fn only_a_policy_that_writes_nothing_denies_changes_of_metadata() {
    for call in denied::METADATA {
        assert_eq!(native(&SandboxPolicy::read_only(), *call, [0; 6]), EPERM, "call {call}");
        assert_eq!(native(&write(), *call, [0; 6]), ALLOW, "call {call}");
    }
}

#[test]
fn foreign_calls_end_the_process() {
    assert_eq!(answer(&write(), I386, 1, [0; 6]), KILL);
    if cfg!(target_arch = "x86_64") {
        assert_eq!(native(&write(), 0x4000_0000, [0; 6]), KILL);
        assert_eq!(native(&write(), 0x4000_0000 | libc::SYS_mount, [0; 6]), KILL);
    }
}

#[test]
fn the_hash_is_that_of_the_policy() {
    let hash = |policy: &SandboxPolicy| sha256(&programs(policy).unwrap());
    assert_eq!(hash(&write()), hash(&write()));
    assert_eq!(hash(&write()).len(), 64);
    assert_ne!(hash(&write()), hash(&SandboxPolicy::read_only()));
    assert_ne!(hash(&write()), hash(&SandboxPolicy { network: capstan_types::policy::Network::Full, ..write() }));
}
