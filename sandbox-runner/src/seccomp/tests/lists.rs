//! The lists are complete, say why, and say the same of the same call.

use super::MACHINES;
use crate::seccomp::calls::{AARCH64_LIST, WORDS, X86_64_LIST};
use std::collections::BTreeMap;

/// Number, name, answer and reason of each call, read in another way than the runner's.
fn lines(list: &str) -> impl Iterator<Item = (u32, &str, &str, &str)> {
    list.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())).map(|line| {
        let (said, reason) = line.split_once('#').unwrap_or((line, ""));
        let words: Vec<_> = said.split_whitespace().collect();
        let [number, name, answer] = words[..] else { panic!("{line}") };
        (number.parse().unwrap(), name, answer, reason.trim())
    })
}

pub(super) fn number(list: &str, name: &str) -> Option<u32> {
    lines(list).find(|line| line.1 == name).map(|line| line.0)
}

#[test]
fn the_runner_reads_every_line_as_it_is_written() {
    for (machine, list) in MACHINES {
        assert_eq!(machine.calls.len(), lines(list).count());
        for (call, (number, name, word, _)) in machine.calls.iter().zip(lines(list)) {
            assert_eq!(
                (call.number, Some(call.answer)),
                (number, WORDS.iter().find(|known| known.0 == word).map(|known| known.1)),
                "{name}"
            );
        }
    }
}

#[test]
fn every_call_of_the_kernel_is_decided_and_no_other() {
    let numbers = |list| lines(list).map(|line| line.0).collect::<Vec<_>>();
    assert_eq!(numbers(X86_64_LIST), (0..=336).chain(424..=469).collect::<Vec<_>>());
    assert_eq!(numbers(AARCH64_LIST), (0..=243).chain(260..=294).chain(424..=469).collect::<Vec<_>>());
}

#[test]
fn what_is_not_allowed_has_a_reason() {
    for (_, list) in MACHINES {
        for (_, name, answer, reason) in lines(list) {
            assert!(answer == "allow" || !reason.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_call_is_decided_alike_on_every_machine() {
    let decided = |list| lines(list).map(|(_, name, answer, reason)| (name, (answer, reason))).collect::<BTreeMap<_, _>>();
    let older = decided(X86_64_LIST);
    for (name, said) in decided(AARCH64_LIST) {
        assert_eq!(older.get(name), Some(&said), "{name}");
    }
}

/// A list with the number of a harmless call beside the name of another would deny the wrong one.
#[test]
fn the_numbers_of_this_machine_are_those_of_the_c_library() {
    macro_rules! numbers {
        ($($name:ident)*) => { [$((stringify!($name), libc::$name)),*] };
    }
    let list = MACHINES.iter().find(|(machine, _)| std::ptr::eq(*machine, crate::seccomp::Machine::this().unwrap())).unwrap().1;
    let numbers = numbers![
        SYS_clone SYS_clone3 SYS_unshare SYS_setns SYS_ioctl SYS_prlimit64 SYS_personality SYS_socket SYS_socketpair SYS_kcmp
        SYS_pidfd_getfd SYS_kexec_load SYS_init_module SYS_finit_module SYS_delete_module SYS_bpf
        SYS_perf_event_open SYS_userfaultfd SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_add_key SYS_request_key
        SYS_keyctl SYS_mount SYS_umount2 SYS_move_mount SYS_open_tree SYS_fsopen SYS_fsconfig SYS_fsmount SYS_fspick
        SYS_mount_setattr SYS_pivot_root SYS_chroot SYS_name_to_handle_at SYS_open_by_handle_at SYS_reboot SYS_swapon SYS_swapoff
        SYS_acct SYS_quotactl SYS_quotactl_fd SYS_sethostname SYS_setdomainname SYS_settimeofday SYS_clock_settime SYS_clock_adjtime
        SYS_adjtimex SYS_syslog SYS_vhangup SYS_lookup_dcookie SYS_fanotify_init SYS_fanotify_mark SYS_migrate_pages SYS_move_pages
        SYS_mbind SYS_set_mempolicy SYS_set_mempolicy_home_node SYS_memfd_secret SYS_shmget SYS_shmat SYS_shmctl SYS_shmdt SYS_semget
        SYS_semop SYS_semctl SYS_semtimedop SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_mq_open SYS_mq_unlink SYS_mq_timedsend
        SYS_mq_timedreceive SYS_mq_notify SYS_mq_getsetattr SYS_fchmod SYS_fchmodat SYS_fchown SYS_fchownat SYS_utimensat SYS_setxattr
        SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr SYS_ptrace SYS_read SYS_execve SYS_rseq SYS_mseal
    ];
    for (name, expected) in numbers {
        assert_eq!(number(list, name.trim_start_matches("SYS_")).map(i64::from), Some(expected), "{name}");
    }
}
