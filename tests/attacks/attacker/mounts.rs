//! Attacks that change what is mounted, or what the root directory is.

use crate::call::{at, bits, c, call, here, open, opened, passes, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;

const TREE_CLONE: usize = 1;
const ATTACH: usize = 2;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("mount-tmpfs", |f| mounted(f, "tmpfs", Some("tmpfs"), 0)),
    ("mount-proc", |f| mounted(f, "proc", Some("proc"), 0)),
    ("mount-bind", |f| mounted(f, f.text("OUT"), None, libc::MS_BIND as usize)),
    ("mount-remount", |f| {
        // The workspace is no mount point where nothing is sandboxed, so that a success cannot happen there.
        let place = c(&f.inside("."));
        passes("remounting", call(libc::SYS_mount, &[0, at(&place), 0, libc::MS_REMOUNT as usize, 0]))
    }),
    ("umount", |f| passes("unmounting", call(libc::SYS_umount2, &[at(&c(&f.inside(".git/hooks"))), ATTACH]))),
    ("fsopen", |_| works("a file system's context", call(libc::SYS_fsopen, &[at(&c("tmpfs")), 0]))),
    ("open-tree", |_| works("a copy of a tree", call(libc::SYS_open_tree, &[here(), at(&c("/")), TREE_CLONE]))),
    ("move-mount", |f| {
        let (from, to) = (c(&f.inside(".")), c(&f.inside("m")));
        let _new = fs::create_dir(f.inside("m"));
        passes("moving a mount", call(libc::SYS_move_mount, &[here(), at(&from), here(), at(&to), 0]))
    }),
    ("mount-setattr", |f| {
        let place = c(&f.inside("."));
        passes("changing a mount", call(libc::SYS_mount_setattr, &[here(), at(&place), 0, crate::call::of(&[0_u64; 4]), 32]))
    }),
    ("pivot-root", |f| {
        let place = c(&f.inside("."));
        passes("changing the root", call(libc::SYS_pivot_root, &[at(&place), at(&place)]))
    }),
    ("chroot", |f| works("chroot", call(libc::SYS_chroot, &[at(&c(&f.inside(".")))]))),
    ("chroot-escape", |f| {
        let (root, dir) = (open("/", libc::O_RDONLY), c(&f.inside(".")));
        let jailed = call(libc::SYS_chroot, &[at(&dir)]).and(root).and_then(|fd| call(libc::SYS_fchdir, &[fd]));
        let climbed = jailed.and_then(|_| call(libc::SYS_chroot, &[at(&c("."))]));
        works("out of a chroot", climbed.and_then(|_| open(&f.outside("climbed"), libc::O_CREAT | libc::O_WRONLY)))
    }),
    ("core-pattern", |_| opened(&["/proc/sys/kernel/core_pattern"], libc::O_WRONLY)),
    ("sysrq", |_| opened(&["/proc/sysrq-trigger", "/proc/sys/kernel/sysrq", "/proc/sys/kernel/panic"], libc::O_WRONLY)),
    ("modprobe-path", |_| {
        opened(&["/proc/sys/kernel/modprobe", "/proc/sys/kernel/poweroff_cmd", "/proc/sys/kernel/panic_on_oops"], libc::O_WRONLY)
    }),
    ("binfmt", |_| opened(&["/proc/sys/fs/binfmt_misc/register", "/proc/sys/fs/suid_dumpable"], libc::O_WRONLY)),
    ("uevent", |_| opened(&["/sys/kernel/uevent_helper", "/sys/class/mem/null/uevent"], libc::O_WRONLY)),
    ("memory-knobs", |_| opened(&["/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory"], libc::O_WRONLY)),
    ("network-knobs", |_| opened(&["/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/randomize_va_space"], libc::O_WRONLY)),
    ("interrupts", |_| opened(&["/proc/irq/default_smp_affinity"], libc::O_WRONLY)),
    ("cgroups", |_| {
        opened(
            &["/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/unified/cgroup.procs"],
            libc::O_WRONLY,
        )
    }),
    ("overlay", overlay),
];

fn mounted(facts: &Facts, source: &str, kind: Option<&str>, flags: usize) -> Vec<String> {
    let (source, place, kind) = (c(source), c(&facts.inside("m")), kind.map(c));
    let _new = fs::create_dir(facts.inside("m"));
    let kind = kind.as_deref().map_or(0, at);
    let mounted = call(libc::SYS_mount, &[at(&source), at(&place), kind, flags, 0]);
    let _gone = call(libc::SYS_umount2, &[at(&place), ATTACH]);
    works("mounted", mounted)
}

/// Lays an overlay over the outside in a user namespace of its own.
fn overlay(facts: &Facts) -> Vec<String> {
    for name in ["m", "upper", "work"] {
        let _new = fs::create_dir(facts.inside(name));
    }
    let (user, group) = (call(libc::SYS_getuid, &[]).unwrap_or(0), call(libc::SYS_getgid, &[]).unwrap_or(0));
    let apart = call(libc::SYS_unshare, &[bits(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)]);
    for (file, text) in
        [("setgroups", "deny".to_owned()), ("uid_map", format!("0 {user} 1")), ("gid_map", format!("0 {group} 1"))]
    {
        let _mapped = fs::write(format!("/proc/self/{file}"), text);
    }
    let options =
        c(&format!("lowerdir={},upperdir={},workdir={}", facts.text("OUT"), facts.inside("upper"), facts.inside("work")));
    let (kind, place) = (c("overlay"), c(&facts.inside("m")));
    works("an overlay", apart.and_then(|_| call(libc::SYS_mount, &[at(&kind), at(&place), at(&kind), 0, at(&options)])))
}
