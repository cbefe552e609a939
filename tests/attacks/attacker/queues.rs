//! Attacks on what processes share by name: memory, semaphores, queues, keys.

use crate::call::{at, bits, c, call, of, works};
use crate::facts::Attack;
use crate::facts::Facts;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("shm-by-key", |f| works("shared memory", call(libc::SYS_shmget, &[f.number("IPC"), 0, 0]).and_then(attach))),
    ("shm-by-id", |f| works("shared memory", attach(f.number("SHM")))),
    ("shm-remove", |f| works("shared memory removed", call(libc::SYS_shmctl, &[f.number("SHM"), bits(libc::IPC_RMID)]))),
    ("shm-list", |f| {
        let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
        let key = f.text("IPC");
        let known = table.lines().any(|line| line.split_whitespace().next() == Some(key));
        if known { vec!["the table of shared memory shows the host's".to_owned()] } else { Vec::new() }
    }),
    ("semaphore", |f| works("a semaphore", call(libc::SYS_semget, &[f.number("IPC"), 0, 0]))),
    ("semaphore-set", |f| works("a semaphore set", call(libc::SYS_semctl, &[f.number("SEM"), 0, 16, 7]))),
    ("message-queue", |f| works("a message queue", call(libc::SYS_msgget, &[f.number("IPC"), 0]))),
    ("message-send", |f| {
        works("a message sent", call(libc::SYS_msgsnd, &[f.number("MSG"), of(&[1_usize, 0x41]), 4, bits(libc::IPC_NOWAIT)]))
    }),
    ("posix-queue", |f| {
        let name = c(&format!("capstan-{}", f.text("TAG")));
        works("a queue opened", call(libc::SYS_mq_open, &[at(&name), bits(libc::O_RDWR), 0, 0]))
    }),
    ("session-key", |f| found_key(f, "s", libc::KEY_SPEC_SESSION_KEYRING)),
    ("user-key", |f| found_key(f, "u", libc::KEY_SPEC_USER_KEYRING)),
    ("user-key-by-id", |f| {
        let _linked = call(libc::SYS_keyctl, &[8, bits(-4), bits(-3)]);
        works("the user's key read by its number", read_key(f.number("USERKEY")))
    }),
    ("key-list", |_| {
        let list = std::fs::read_to_string("/proc/keys").unwrap_or_default();
        if list.contains("capstan-") { vec!["/proc/keys names the host's keys".to_owned()] } else { Vec::new() }
    }),
    ("key-link", |_| works("the user's keyring linked", call(libc::SYS_keyctl, &[8, bits(-4), bits(-3)]))),
];

fn attach(id: usize) -> Result<usize, i32> {
    call(libc::SYS_shmat, &[id, 0, bits(libc::SHM_RDONLY)])
}

fn found_key(facts: &Facts, kind: &str, ring: i32) -> Vec<String> {
    let (class, name) = (c("user"), c(&format!("capstan-{kind}-{}", facts.text("TAG"))));
    let key = call(libc::SYS_keyctl, &[10, bits(ring), at(&class), at(&name), 0]);
    works("the key was found", key)
}

fn read_key(key: usize) -> Result<usize, i32> {
    call(libc::SYS_keyctl, &[11, key, of(&mut [0_u8; 64]), 64])
}
