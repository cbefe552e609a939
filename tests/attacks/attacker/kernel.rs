//! Attacks on what a process may become: privileges, namespaces, other ways into the kernel.

use crate::call::{bits, c, call, end, fork, of, passes, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;

const CLONE3: libc::c_long = libc::SYS_clone3;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("no-new-privs", |_| status("NoNewPrivs:", |value| value == "1")),
    ("seccomp-mode", |_| status("Seccomp:", |value| value == "2")),
    ("capabilities", |_| ["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"].iter().flat_map(|set| status(set, is_nothing)).collect()),
    ("bounding-set", |_| status("CapBnd:", is_nothing)),
    ("uid-zero", |_| status("Uid:", |value| !value.starts_with('0'))),
    ("groups", |_| status("Gid:", |value| !value.starts_with('0'))),
    ("dumps", |_| {
        let mut limit = [0_u64; 2];
        let _read = call(libc::SYS_getrlimit, &[libc::RLIMIT_CORE as usize, of(&mut limit)]);
        if limit[1] == 0 { Vec::new() } else { vec!["core dumps may be switched on".to_owned()] }
    }),
    ("unshare-user", |_| works("a user namespace", call(libc::SYS_unshare, &[bits(libc::CLONE_NEWUSER)]))),
    ("unshare-mount", |_| works("a mount namespace", call(libc::SYS_unshare, &[bits(libc::CLONE_NEWNS)]))),
    ("unshare-net", |_| works("a network namespace", call(libc::SYS_unshare, &[bits(libc::CLONE_NEWNET)]))),
    ("unshare-pid", |_| works("a process namespace", call(libc::SYS_unshare, &[bits(libc::CLONE_NEWPID)]))),
    ("unshare-high-bits", |_| {
        works(
            "a user namespace by high bits",
            call(libc::SYS_unshare, &[bits(libc::CLONE_NEWUSER)]).or_else(|_| {
                call(libc::SYS_clone, &[(1 << 32) | bits(libc::CLONE_NEWUSER | libc::SIGCHLD)]).inspect(|pid| ended(*pid))
            }),
        )
    }),
    ("clone-user", |_| {
        works(
            "a user namespace by clone",
            call(libc::SYS_clone, &[bits(libc::CLONE_NEWUSER | libc::SIGCHLD)]).inspect(|pid| ended(*pid)),
        )
    }),
    ("clone3-user", |_| {
        let arguments = [bits(libc::CLONE_NEWUSER) as u64, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
        works("a user namespace by clone3", call(CLONE3, &[of(&arguments), 88]).inspect(|pid| ended(*pid)))
    }),
    ("setuid", |_| works("another user", call(libc::SYS_setresuid, &[4242, 4242, 4242]))),
    ("setgroups", |_| works("other groups", call(libc::SYS_setgroups, &[1, of(&[4242_u32])]))),
    ("setns-host", setns_host),
    ("setns-pidfd", |f| {
        let answer =
            call(libc::SYS_pidfd_open, &[f.victim(), 0]).and_then(|fd| call(libc::SYS_setns, &[fd, bits(libc::CLONE_NEWUTS)]));
        works("the victim's namespaces", answer)
    }),
    ("int80", |_| int80_pid().map_or(Vec::new(), |pid| vec![format!("the 32-bit entry answered {pid}")])),
    ("x32", |_| passes("the x32 entry", call(libc::SYS_getpid | 0x4000_0000, &[]))),
    ("host-name", |_| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = c(name.trim());
        let own = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).map(|link| link.display().to_string());
        let _ = own;
        works("the host's name was set", call(libc::SYS_sethostname, &[crate::call::at(&name), name.as_bytes().len()]))
    }),
];

fn is_nothing(value: &str) -> bool {
    value.chars().all(|digit| digit == '0')
}

fn status(name: &str, is_right: fn(&str) -> bool) -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").expect("a process can read about itself");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("missing").trim().replace('\t', " ");
    if is_right(&line) { Vec::new() } else { vec![format!("{name} {line}")] }
}

/// In the child of a raw clone, `pid` is 0: it ends at once.
fn ended(pid: usize) {
    if pid == 0 {
        end(0);
    }
    let _waited = call(libc::SYS_wait4, &[usize::MAX, 0, 0, 0]);
}

fn setns_host(facts: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    for pid in [1, facts.victim()] {
        for kind in ["uts", "ipc", "net"] {
            let there = format!("/proc/{pid}/ns/{kind}");
            let is_hosts =
                fs::read_link(&there).is_ok_and(|link| link.display().to_string() == facts.text(&format!("NS_{kind}")));
            if is_hosts && let Ok(fd) = crate::call::open(&there, libc::O_RDONLY) {
                found.extend(works(&format!("{there} was joined"), call(libc::SYS_setns, &[fd, 0])));
            }
        }
    }
    found
}

/// Asks for the process id through the 32-bit entry, in a child: a filter may kill for it.
fn int80_pid() -> Option<usize> {
    let child = fork().ok()?;
    let Some(child) = child else {
        end(i32::from(int80(20) > 0));
    };
    let mut status = 0_i32;
    let _waited = call(libc::SYS_wait4, &[child, of(&mut status), 0, 0]);
    (libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 1).then_some(child)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the 32-bit entry is reached by an instruction")]
fn int80(number: i64) -> i64 {
    let mut answer = number;
    // SAFETY: `getpid` takes no arguments; what a 32-bit call clobbers is named.
    unsafe { std::arch::asm!("int 0x80", inout("rax") answer, out("r8") _, out("r9") _, out("r10") _, out("r11") _) };
    answer
}

#[cfg(not(target_arch = "x86_64"))]
fn int80(_number: i64) -> i64 {
    -1
}
