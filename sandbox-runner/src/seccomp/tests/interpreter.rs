//! What the kernel does with a filter.

use crate::seccomp::BpfProgram;
use libc::sock_filter;

pub(super) const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
pub(super) const EPERM: u32 = libc::SECCOMP_RET_ERRNO | 1;
pub(super) const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | 38;
pub(super) const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// A call, as the kernel shows it to a filter (`struct seccomp_data`).
pub(super) struct Event([u8; 64]);

impl Event {
    pub(super) fn new(audit: u32, number: u32, arguments: &[u64]) -> Self {
        let mut data = [0; 64];
        data[..4].copy_from_slice(&number.to_ne_bytes());
        data[4..8].copy_from_slice(&audit.to_ne_bytes());
        for (place, argument) in data[16..].chunks_mut(8).zip(arguments) {
            place.copy_from_slice(&argument.to_ne_bytes());
        }
        Self(data)
    }
}

/// One program's answer: an interpreter of the few instructions that filters are made of.
pub(super) fn run(program: &BpfProgram, Event(data): &Event) -> u32 {
    let (mut at, mut value) = (0_usize, 0_u32);
    loop {
        let &sock_filter { code, jt, jf, k } = &program[at];
        at += 1;
        let taken = match code {
            0x20 => {
                assert!(k.is_multiple_of(4), "the kernel refuses to load from {k}");
                value = u32::from_ne_bytes(data[k as usize..][..4].try_into().unwrap());
                continue;
            }
            0x54 => {
                value &= k;
                continue;
            }
            0x05 => {
                at += k as usize;
                continue;
            }
            0x15 => value == k,
            0x25 => value > k,
            0x35 => value >= k,
            0x06 => return k,
            other => panic!("instruction {other:#x}"),
        };
        at += usize::from(if taken { jt } else { jf });
    }
}

/// The answer of several programs: the most severe, whose order is that of their values read as signed (`kernel/seccomp.c`).
pub(super) fn run_all(programs: &[BpfProgram], event: &Event) -> u32 {
    let severity = |answer: &u32| (answer & libc::SECCOMP_RET_ACTION_FULL).cast_signed();
    programs.iter().map(|program| run(program, event)).min_by_key(severity).unwrap()
}
