//! Attacks on processes of the host: the victim, and the process that launched the sandbox.

use crate::call::{bits, call, of, open, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;

const TERM: usize = 15;
const KILL: usize = 9;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("kill", |f| works("signalled", call(libc::SYS_kill, &[f.victim(), KILL]))),
    ("kill-group", |f| works("a group signalled", call(libc::SYS_kill, &[f.victim().wrapping_neg(), TERM]))),
    ("kill-all", |_| works("every process can be signalled", call(libc::SYS_kill, &[usize::MAX, 0]))),
    ("kill-launcher", |_| works("the launcher can be signalled", parent().and_then(|pid| call(libc::SYS_kill, &[pid, 0])))),
    ("tgkill", |f| works("signalled", call(libc::SYS_tgkill, &[f.victim(), f.victim(), TERM]))),
    ("tkill", |f| works("signalled", call(libc::SYS_tkill, &[f.victim(), TERM]))),
    ("sigqueue", |f| {
        let information = [u64::from(15_u32), 0xffff_ffff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        works("signalled", call(libc::SYS_rt_sigqueueinfo, &[f.victim(), TERM, of(&information)]))
    }),
    ("pidfd-signal", |f| works("signalled", pidfd(f).and_then(|fd| call(libc::SYS_pidfd_send_signal, &[fd, TERM, 0, 0])))),
    ("owner-signal", owner_signal),
    ("ptrace-seize", |f| works("seized", call(libc::SYS_ptrace, &[0x4206, f.victim(), 0, 0]))),
    ("ptrace-attach", ptrace_attach),
    ("ptrace-launcher", |_| works("the launcher seized", parent().and_then(|pid| call(libc::SYS_ptrace, &[0x4206, pid, 0, 0])))),
    ("vm-read", |f| remote(f, libc::SYS_process_vm_readv)),
    ("vm-write", |f| remote(f, libc::SYS_process_vm_writev)),
    ("mem-file", |f| works("memory opened", open(&of_victim(f, "mem"), libc::O_RDWR))),
    ("mem-file-read", |f| {
        let fd = open(&of_victim(f, "mem"), libc::O_RDONLY);
        works("memory read", fd.and_then(|fd| call(libc::SYS_pread64, &[fd, of(&mut [0_u8; 16]), 16, f.number("ADDRESS")])))
    }),
    ("pidfd-getfd", |f| {
        works("a descriptor taken", pidfd(f).and_then(|fd| call(libc::SYS_pidfd_getfd, &[fd, f.number("FD"), 0])))
    }),
    ("kcmp", |f| works("compared", call(libc::SYS_kcmp, &[own(), f.victim(), 0, 1, 1]))),
    ("prlimit-read", |f| works("limits read", call(libc::SYS_prlimit64, &[f.victim(), 7, 0, of(&mut [0_u64; 2])]))),
    ("prlimit-write", |f| works("limits set", call(libc::SYS_prlimit64, &[f.victim(), 4, of(&[0_u64; 2]), 0]))),
    ("priority", |f| works("reniced", call(libc::SYS_setpriority, &[0, f.victim(), 5]))),
    ("affinity", |f| works("pinned", call(libc::SYS_sched_setaffinity, &[f.victim(), 8, of(&1_u64)]))),
    ("scheduler", |f| works("rescheduled", call(libc::SYS_sched_setscheduler, &[f.victim(), 3, of(&0_i32)]))),
    ("ioprio", |f| works("disk priority set", call(libc::SYS_ioprio_set, &[1, f.victim(), 3 << 13]))),
    ("move-pages", |f| works("pages asked about", call(libc::SYS_move_pages, &[f.victim(), 0, 0, 0, 0, 2]))),
    ("migrate-pages", |f| works("pages moved", call(libc::SYS_migrate_pages, &[f.victim(), 64, of(&1_u64), of(&1_u64)]))),
    ("madvise", |f| {
        let place = [f.number("ADDRESS") & !4095, 4096];
        works("memory advised", pidfd(f).and_then(|fd| call(libc::SYS_process_madvise, &[fd, of(&place), 1, 20, 0])))
    }),
    ("robust-list", |f| works("list read", call(libc::SYS_get_robust_list, &[f.victim(), of(&mut 0_usize), of(&mut 0_usize)]))),
    ("oom-score", |f| written(&of_victim(f, "oom_score_adj"), "900")),
    ("dump-filter", |f| written(&of_victim(f, "coredump_filter"), "0x7f")),
    ("clear-refs", |f| written(&of_victim(f, "clear_refs"), "1")),
    ("timer-slack", |f| written(&of_victim(f, "timerslack_ns"), "50001")),
    ("session-id", |f| works("session read", call(libc::SYS_getsid, &[f.victim()]))),
    ("group-id", |f| works("group read", call(libc::SYS_getpgid, &[f.victim()]))),
    ("scheduler-read", |f| works("scheduling read", call(libc::SYS_sched_getscheduler, &[f.victim()]))),
    ("pidfd", |f| works("a descriptor of the process", pidfd(f))),
];

fn own() -> usize {
    call(libc::SYS_getpid, &[]).unwrap_or(0)
}

/// The process that started this one, when this one may know it.
fn parent() -> Result<usize, i32> {
    call(libc::SYS_getppid, &[]).and_then(|pid| if pid > 1 { Ok(pid) } else { Err(libc::ESRCH) })
}

fn of_victim(facts: &Facts, name: &str) -> String {
    format!("/proc/{}/{name}", facts.victim())
}

fn pidfd(facts: &Facts) -> Result<usize, i32> {
    call(libc::SYS_pidfd_open, &[facts.victim(), 0])
}

fn written(path: &str, text: &str) -> Vec<String> {
    works(&format!("{path} written"), crate::call::plain(fs::write(path, text)))
}

/// Reads the secret in the victim's memory, or writes over it.
fn remote(facts: &Facts, number: libc::c_long) -> Vec<String> {
    let own = *b"OVERWRITTEN-PWND";
    let (here, there) = ([of(&own), 16], [facts.number("ADDRESS"), 16]);
    works("the victim's memory", call(number, &[facts.victim(), of(&here), 1, of(&there), 1, 0]))
}

fn ptrace_attach(facts: &Facts) -> Vec<String> {
    let attached = call(libc::SYS_ptrace, &[16, facts.victim(), 0, 0]);
    if attached.is_ok() {
        let _stopped = call(libc::SYS_wait4, &[facts.victim(), 0, 0x4000_0000, 0]);
        let _gone = call(libc::SYS_ptrace, &[17, facts.victim(), 0, 0]);
    }
    works("attached", attached)
}

/// Makes the kernel send the signal: a pipe's owner is told that something can be read.
fn owner_signal(facts: &Facts) -> Vec<String> {
    let mut pipe = [0_i32; 2];
    let _made = call(libc::SYS_pipe2, &[of(&mut pipe), 0]);
    let reading = bits(pipe[0]);
    let mut owner = [1_i32, i32::try_from(facts.victim()).unwrap_or(0)];
    let told = call(libc::SYS_fcntl, &[reading, 15, of(&mut owner)])
        .and_then(|_| call(libc::SYS_fcntl, &[reading, 10, TERM]))
        .and_then(|_| call(libc::SYS_fcntl, &[reading, 4, bits(libc::O_ASYNC)]));
    let _written = told.and_then(|_| call(libc::SYS_write, &[bits(pipe[1]), of(b"x"), 1]));
    // The host sees whether the victim lives, which takes a moment to end.
    let stat = format!("/proc/{}/stat", facts.victim());
    for _ in 0..50 {
        if !fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            break;
        }
        let _pause = call(libc::SYS_poll, &[0, 0, 4]);
    }
    Vec::new()
}
