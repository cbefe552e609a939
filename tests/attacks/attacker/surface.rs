//! Attacks on parts of the kernel that a developer's tools do not need.

use crate::call::{at, bits, c, call, of, open, opened, passes, works};
use crate::facts::Attack;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("bpf", |_| passes("bpf", call(libc::SYS_bpf, &[0, of(&[1_u32, 4, 8, 1]), 16]))),
    ("bpf-load", |_| passes("loading a program", call(libc::SYS_bpf, &[5, of(&[1_u64, 0, 0, 0, 0, 0]), 48]))),
    ("perf", |_| {
        let mut attribute = [0_u32; 32];
        (attribute[0], attribute[1], attribute[10]) = (1, 128, 0x60);
        works("an event", call(libc::SYS_perf_event_open, &[of(&attribute), 0, usize::MAX, usize::MAX, 0]))
    }),
    ("userfaultfd", |_| works("userfaultfd", call(libc::SYS_userfaultfd, &[1]))),
    ("userfaultfd-device", |_| opened(&["/dev/userfaultfd"], libc::O_RDWR)),
    ("io-uring", |_| works("a ring", call(libc::SYS_io_uring_setup, &[2, of(&mut [0_u32; 30])]))),
    ("io-uring-register", |_| passes("io_uring_register", call(libc::SYS_io_uring_register, &[bits(-1), 0, 0, 0]))),
    ("init-module", |_| passes("init_module", call(libc::SYS_init_module, &[0, 0, at(&c(""))]))),
    ("finit-module", |_| passes("finit_module", call(libc::SYS_finit_module, &[bits(-1), at(&c("")), 0]))),
    ("delete-module", |_| passes("delete_module", call(libc::SYS_delete_module, &[at(&c("no-such-module")), 0o4000]))),
    ("kexec", |_| passes("kexec_load", call(libc::SYS_kexec_load, &[0, 0, 0, 0xfffe]))),
    ("swapon", |_| passes("swapon", call(libc::SYS_swapon, &[0, 0]))),
    ("reboot", |_| passes("reboot", call(libc::SYS_reboot, &[0, 0, 0, 0]))),
    ("acct", |_| passes("acct", call(libc::SYS_acct, &[at(&c("/no/such/file"))]))),
    ("set-clock", |_| passes("clock_settime", call(libc::SYS_clock_settime, &[0, of(&[0_i64, -1])]))),
    ("fanotify", |_| works("fanotify", call(libc::SYS_fanotify_init, &[4, 0]))),
    ("ioperm", |_| works("ioperm", call(libc::SYS_ioperm, &[0x80, 1, 1]))),
    ("iopl", |_| passes("iopl", call(libc::SYS_iopl, &[4]))),
    ("quotactl", |_| passes("quotactl", call(libc::SYS_quotactl, &[0x0080_0002 << 8, 0, 0, 0]))),
    ("syslog", |_| works("the kernel's log", call(libc::SYS_syslog, &[3, of(&mut [0_u8; 64]), 64]))),
    ("kmsg", |_| opened(&["/dev/kmsg"], libc::O_RDONLY)),
    ("kvm", |_| opened(&["/dev/kvm"], libc::O_RDWR)),
    ("fuse", |_| opened(&["/dev/fuse"], libc::O_RDWR)),
    ("tun", |_| opened(&["/dev/net/tun"], libc::O_RDWR)),
    ("loop", |_| opened(&["/dev/loop-control", "/dev/loop0"], libc::O_RDWR)),
    ("device-odds", |_| {
        opened(
            &["/dev/btrfs-control", "/dev/autofs", "/dev/cpu_dma_latency", "/dev/hwrng", "/dev/vga_arbiter", "/dev/zram0"],
            libc::O_RDWR,
        )
    }),
    ("vsock-device", |_| opened(&["/dev/vsock"], libc::O_RDONLY)),
    ("disk", |f| read_from(f.text("DISK"))),
    ("memory", |_| ["/dev/mem", "/dev/port", "/proc/kcore"].iter().flat_map(|path| read_from(path)).collect()),
    ("set-priority-up", |_| works("a higher priority", call(libc::SYS_setpriority, &[0, 0, bits(-5)]))),
    ("real-time", |_| works("real-time scheduling", call(libc::SYS_sched_setscheduler, &[0, 1, of(&1_i32)]))),
    ("keyctl", |_| works("a keyring", call(libc::SYS_keyctl, &[0, bits(-3), 1]))),
    ("add-key", |_| {
        let (kind, name) = (c("user"), c("capstan-own"));
        works("a key", call(libc::SYS_add_key, &[at(&kind), at(&name), of(b"x"), 1, bits(-1)]))
    }),
    ("request-key", |_| {
        let (kind, name) = (c("user"), c("no-such-key-of-capstan"));
        passes("request_key", call(libc::SYS_request_key, &[at(&kind), at(&name), 0, 0]))
    }),
];

fn read_from(path: &str) -> Vec<String> {
    let fd = open(path, libc::O_RDONLY | libc::O_NONBLOCK);
    works(&format!("{path} was read"), fd.and_then(|fd| call(libc::SYS_read, &[fd, of(&mut [0_u8; 512]), 512])))
}
