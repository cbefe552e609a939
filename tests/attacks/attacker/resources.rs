//! Attacks that take so much that others go without. Each gives everything back when it ends.

use crate::call::{at, c, call, of, open, plain};
use crate::facts::Attack;
use std::fs;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("processes", |_| processes()),
    ("threads", |_| threads()),
    ("memory-touched", |_| all("4 GiB of memory", touch(4 << 30))),
    ("memory-file", |_| {
        let fd = call(libc::SYS_memfd_create, &[at(&c("big")), 0]);
        all("4 GiB in a memory file", fd.and_then(|fd| fill(fd, 4 << 30)))
    }),
    ("shared-memory-disk", |_| filled("/dev/shm/capstan-big", 3 << 30)),
    ("temporary-disk", |_| filled("/tmp/capstan-big", 6 << 30)),
    ("workspace-disk", |f| filled(&f.inside("big"), 6 << 30)),
    ("sparse-file", |f| {
        let grown = fs::File::create(f.inside("sparse")).and_then(|file| file.set_len(1 << 40));
        let _gone = fs::remove_file(f.inside("sparse"));
        all("a file of 1 TiB", plain(grown))
    }),
    ("descriptors", |_| {
        let mut limit = [0_u64; 2];
        let _read = call(libc::SYS_getrlimit, &[libc::RLIMIT_NOFILE as usize, of(&mut limit)]);
        let _raised = call(libc::SYS_setrlimit, &[libc::RLIMIT_NOFILE as usize, of(&[limit[1], limit[1]])]);
        let opened = (0..17_000).map_while(|_| open("/dev/null", libc::O_RDONLY).ok()).count();
        if opened == 17_000 { vec!["17000 open files".to_owned()] } else { Vec::new() }
    }),
    ("terminals", |_| {
        let opened = (0..900).map_while(|_| open("/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY).ok()).count();
        if opened == 900 { vec!["900 terminals".to_owned()] } else { Vec::new() }
    }),
    ("locked-memory", |_| {
        let mut limit = [0_u64; 2];
        let _read = call(libc::SYS_getrlimit, &[libc::RLIMIT_MEMLOCK as usize, of(&mut limit)]);
        let place = call(libc::SYS_mmap, &[0, 1 << 30, 3, 0x22, usize::MAX, 0]);
        all("1 GiB of locked memory", place.and_then(|place| call(libc::SYS_mlock, &[place, 1 << 30])))
    }),
];

fn all<T>(what: &str, answer: Result<T, i32>) -> Vec<String> {
    answer.map_or(Vec::new(), |_| vec![what.to_owned()])
}

fn processes() -> Vec<String> {
    let mut children = Vec::new();
    while children.len() < 1500 {
        match crate::call::fork() {
            Ok(Some(pid)) => children.push(pid),
            Ok(None) => {
                let _died_with_its_parent = call(libc::SYS_prctl, &[1, 9]);
                let _waiting = call(libc::SYS_pause, &[]);
                crate::call::end(0);
            }
            Err(_) => break,
        }
    }
    let count = children.len();
    for pid in children {
        let _ended = call(libc::SYS_kill, &[pid, 9]);
        let _waited = call(libc::SYS_wait4, &[pid, 0, 0, 0]);
    }
    if count == 1500 { vec!["1500 processes".to_owned()] } else { Vec::new() }
}

fn threads() -> Vec<String> {
    let over = std::sync::Arc::new(std::sync::Barrier::new(1501));
    let start = |_| {
        let over = std::sync::Arc::clone(&over);
        std::thread::Builder::new().stack_size(16 << 10).spawn(move || over.wait()).ok()
    };
    let count = (0..1500).map_while(start).count();
    if count == 1500 { vec!["1500 threads".to_owned()] } else { Vec::new() }
}

fn touch(bytes: usize) -> Result<usize, i32> {
    let place = call(libc::SYS_mmap, &[0, bytes, 3, 0x22, usize::MAX, 0])?;
    // MADV_POPULATE_WRITE: every page is there, or the call fails.
    let touched = call(libc::SYS_madvise, &[place, bytes, 23]);
    moment();
    touched
}

/// A watch gets a moment to see it.
fn moment() {
    let _pause = call(libc::SYS_poll, &[0, 0, 1500]);
}

fn fill(fd: usize, bytes: usize) -> Result<usize, i32> {
    call(libc::SYS_fallocate, &[fd, 0, 0, bytes])
}

/// Takes disk, by asking for it and, where that is not counted, by writing.
fn filled(path: &str, bytes: usize) -> Vec<String> {
    let taken = open(path, libc::O_CREAT | libc::O_RDWR).and_then(|fd| fill(fd, bytes));
    moment();
    let _gone = fs::remove_file(path);
    all(&format!("{} GiB at {path}", bytes >> 30), taken)
}
