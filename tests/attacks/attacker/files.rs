//! Attacks on files outside the workspace.

use crate::call::{at, bits, c, call, here, of, open, plain, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("open-truncate", |f| works("truncated", open(&f.outside("victim"), libc::O_RDONLY | libc::O_TRUNC))),
    ("truncate", |f| works("truncated", call(libc::SYS_truncate, &[at(&c(&f.outside("victim"))), 0]))),
    ("reopen-read-only", reopen_read_only),
    ("reopen-path", reopen_path),
    ("fchmod", |f| by_descriptor(f, |fd| call(libc::SYS_fchmod, &[fd, 0o777]))),
    ("fchown", |f| by_descriptor(f, |fd| call(libc::SYS_fchown, &[fd, 1, 1]))),
    ("futimens", |f| by_descriptor(f, |fd| call(libc::SYS_utimensat, &[fd, 0, of(&[1_i64, 0, 1, 0]), 0]))),
    ("setxattr", |f| {
        let (path, name) = (c(&f.outside("victim")), c("user.capstan"));
        works("attribute set", call(libc::SYS_setxattr, &[at(&path), at(&name), of(b"x"), 1, 0]))
    }),
    ("fsetxattr", |f| by_descriptor(f, |fd| call(libc::SYS_fsetxattr, &[fd, at(&c("user.capstan")), of(b"x"), 1, 0]))),
    ("inode-flags", |f| by_descriptor(f, more_flags)),
    ("fallocate", |f| {
        let fd = open(&f.outside("victim"), libc::O_RDWR).or_else(|_| reopened(f, libc::O_RDWR));
        works("allocated", fd.and_then(|fd| call(libc::SYS_fallocate, &[fd, 0, 0, 8192])))
    }),
    ("tmpfile", |f| works("a nameless file", open(&f.outside("."), libc::O_TMPFILE | libc::O_RDWR))),
    ("tmpfile-linked-out", |f| {
        let made = open(&f.inside("."), libc::O_TMPFILE | libc::O_RDWR);
        let link = |fd| {
            let (from, to) = (c(&format!("/proc/self/fd/{fd}")), c(&f.outside("linked")));
            call(libc::SYS_linkat, &[here(), at(&from), here(), at(&to), bits(libc::AT_SYMLINK_FOLLOW)])
        };
        works("linked outside", made.and_then(link))
    }),
    ("exchange", |f| {
        fs::write(f.inside("mine"), "pwned").expect("the workspace can be written");
        let (from, to) = (c(&f.inside("mine")), c(&f.outside("victim")));
        works("exchanged", call(libc::SYS_renameat2, &[here(), at(&from), here(), at(&to), 2]))
    }),
    ("socket-file", |f| works("bound", plain(std::os::unix::net::UnixListener::bind(f.outside("mine.sock"))))),
    ("device-node", device_node),
    ("leaked-file", |f| leaked(40, &f.outside("leaked"))),
    ("leaked-directory", |_| works("made through a leaked directory", call(libc::SYS_mkdirat, &[41, at(&c("made")), 0o755]))),
    ("leaked-socket", |_| works("sent through a leaked socket", call(libc::SYS_write, &[42, of(b"inject"), 6]))),
    ("handle", handle),
    ("lock", |f| by_descriptor(f, |fd| call(libc::SYS_flock, &[fd, 2 | 4]))),
    ("lease", |f| by_descriptor(f, |fd| call(libc::SYS_fcntl, &[fd, 1024, 0]))),
    ("resolve-magic", |f| {
        let fd = open("/", libc::O_PATH).expect("the root can be named");
        works(
            "opened below another name of the root",
            open(&format!("/proc/self/fd/{fd}{}", f.outside("victim")), libc::O_WRONLY),
        )
    }),
    ("memfd-program", memfd_program),
];

/// Tries something with a descriptor that was only opened for reading.
/// One flag more: others, taken away, would have the file laid out anew, which fails now and then.
fn more_flags(fd: usize) -> Result<usize, i32> {
    let mut flags = 0_u64;
    call(libc::SYS_ioctl, &[fd, 0x8008_6601, of(&mut flags)])?;
    call(libc::SYS_ioctl, &[fd, 0x4008_6602, of(&(flags | 0x40))])
}

fn by_descriptor(facts: &Facts, act: fn(usize) -> Result<usize, i32>) -> Vec<String> {
    works("done by a descriptor opened for reading", open(&facts.outside("victim"), libc::O_RDONLY).and_then(act))
}

fn reopened(facts: &Facts, flags: i32) -> Result<usize, i32> {
    let fd = open(&facts.outside("victim"), libc::O_RDONLY)?;
    open(&format!("/proc/self/fd/{fd}"), flags)
}

fn reopen_read_only(facts: &Facts) -> Vec<String> {
    works("written after reopening", reopened(facts, libc::O_WRONLY).and_then(|fd| call(libc::SYS_write, &[fd, of(b"pwned"), 5])))
}

fn reopen_path(facts: &Facts) -> Vec<String> {
    let named = open(&facts.outside("victim"), libc::O_PATH);
    works("opened from a path descriptor", named.and_then(|fd| open(&format!("/proc/self/fd/{fd}"), libc::O_WRONLY)))
}

fn leaked(number: usize, path: &str) -> Vec<String> {
    let _ = path;
    works("written through a leaked descriptor", call(libc::SYS_write, &[number, of(b"pwned"), 5]))
}

fn device_node(facts: &Facts) -> Vec<String> {
    let node = c(&facts.inside("null-device"));
    let made = call(libc::SYS_mknodat, &[here(), at(&node), 0o020_666, 0x103]);
    works("a device made and opened", made.and_then(|_| open(&facts.inside("null-device"), libc::O_RDWR)))
}

/// Opens a file by its number in the file system, past every directory.
fn handle(facts: &Facts) -> Vec<String> {
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        data: [u8; 128],
    }
    let handle = Handle { bytes: 128, kind: 0, data: [0; 128] };
    let (victim, mut mount) = (c(&facts.outside("victim")), 0_i32);
    let mut named = call(libc::SYS_name_to_handle_at, &[here(), at(&victim), of(&handle), of(&mut mount), 0]);
    if named.is_err() {
        // Any file will do: the number of another one can be guessed from it.
        let own = c(&facts.inside("."));
        named = call(libc::SYS_name_to_handle_at, &[here(), at(&own), of(&handle), of(&mut mount), 0]);
    }
    let workspace = open(&facts.inside("."), libc::O_RDONLY | libc::O_DIRECTORY).expect("the workspace can be opened");
    let opened = named.and_then(|_| call(libc::SYS_open_by_handle_at, &[workspace, of(&handle), bits(libc::O_RDONLY)]));
    works("opened by handle", opened)
}

fn memfd_program(facts: &Facts) -> Vec<String> {
    let fd = call(libc::SYS_memfd_create, &[at(&c("x")), 0]).expect("a file in memory");
    fs::write(format!("/proc/self/fd/{fd}"), fs::read("/bin/sh").expect("the shell can be read")).expect("memory can be written");
    let (name, flag, script) = (c("sh"), c("-c"), c(&format!("echo x > {}", facts.outside("from-memory"))));
    let arguments = [at(&name), at(&flag), at(&script), 0];
    if let Ok(None) = crate::call::fork() {
        let _failed = call(libc::SYS_execveat, &[fd, at(&c("")), of(&arguments), of(&[0_usize]), bits(libc::AT_EMPTY_PATH)]);
        crate::call::end(9);
    }
    let _waited = call(libc::SYS_wait4, &[usize::MAX, 0, 0, 0]);
    Vec::new()
}
