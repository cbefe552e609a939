//! The parts that are played outside: the victim, with secrets of every kind, and a careless launcher that leaves things open.

#![expect(unsafe_code, reason = "creating queues and keys takes libc")]
#![expect(clippy::disallowed_methods, reason = "the launcher becomes the program that it launches")]

use crate::call::{at, bits, c, call, of};
use crate::facts::Facts;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What the victim keeps in its memory, and nobody else may read.
const SECRET: &[u8; 16] = b"VICTIM-IN-MEMORY";

/// Tells what it has, and waits for the end of its standard input.
pub(crate) fn be_victim(facts: &Facts) {
    let secret: &'static mut [u8; 16] = Box::leak(Box::new(*SECRET));
    let file = std::fs::File::open(facts.outside("other-session/secret.txt")).expect("the victim reads its file");
    println!("ADDRESS={}", of(secret));
    println!("FD={}", std::os::fd::AsRawFd::as_raw_fd(&file));
    println!("USERKEY={}", plant_key(&format!("capstan-u-{}", facts.text("TAG")), libc::KEY_SPEC_USER_KEYRING).unwrap_or(0));
    let key = facts.number("IPC");
    println!("SHM={}", call(libc::SYS_shmget, &[key, 4096, 0o1600]).unwrap_or(0));
    println!("SEM={}", call(libc::SYS_semget, &[key, 1, 0o1600]).unwrap_or(0));
    println!("MSG={}", call(libc::SYS_msgget, &[key, 0o1600]).unwrap_or(0));
    let name = c(&format!("capstan-{}", facts.text("TAG")));
    println!(
        "QUEUE={}",
        call(libc::SYS_mq_open, &[at(&name), bits(libc::O_CREAT | libc::O_RDWR), 0o600, of(&[0_i64, 1, 16, 0, 0, 0, 0, 0])])
            .is_ok()
    );
    println!("READY=1");
    let _closed = std::io::stdin().read_to_end(&mut Vec::new());
    drop(file);
}

/// Removes what the victim shared by name, which outlives a victim that was killed.
pub(crate) fn clean(facts: &Facts) {
    let key = facts.number("IPC");
    let name = c(&format!("capstan-{}", facts.text("TAG")));
    let _gone = call(libc::SYS_shmctl, &[call(libc::SYS_shmget, &[key, 0, 0]).unwrap_or(0), bits(libc::IPC_RMID)]);
    let _gone = call(libc::SYS_semctl, &[call(libc::SYS_semget, &[key, 0, 0]).unwrap_or(0), 0, bits(libc::IPC_RMID)]);
    let _gone = call(libc::SYS_msgctl, &[call(libc::SYS_msgget, &[key, 0]).unwrap_or(0), bits(libc::IPC_RMID)]);
    let _gone = call(libc::SYS_mq_unlink, &[at(&name)]);
    // A user may keep 200 keys: those of dead victims would fill that up.
    let (kind, key) = (c("user"), c(&format!("capstan-u-{}", facts.text("TAG"))));
    if let Ok(key) = call(libc::SYS_keyctl, &[SEARCH, bits(libc::KEY_SPEC_USER_KEYRING), at(&kind), at(&key), 0]) {
        let _gone = call(libc::SYS_keyctl, &[INVALIDATE, key]);
    }
}

/// `KEYCTL_SEARCH` and `KEYCTL_INVALIDATE`.
const SEARCH: usize = 10;
const INVALIDATE: usize = 21;

fn plant_key(name: &str, ring: i32) -> Result<usize, i32> {
    let (kind, name, text) = (c("user"), c(name), b"KEY-SECRET");
    call(libc::SYS_add_key, &[at(&kind), at(&name), of(text), text.len(), bits(ring)])
}

/// Leaves a key in the session's keyring and descriptors open, and becomes the command behind `--`.
pub(crate) fn launch_carelessly(words: Vec<String>) {
    let split = words.iter().position(|word| word == "--").expect("the command stands behind `--`");
    let facts = Facts::read(words[..split].iter().cloned());
    let _joined = call(libc::SYS_keyctl, &[1, 0]);
    let _planted = plant_key(&format!("capstan-s-{}", facts.text("TAG")), libc::KEY_SPEC_SESSION_KEYRING);
    leak(&facts.outside("leaked"), libc::O_RDWR | libc::O_APPEND, 40);
    leak(&facts.outside("."), libc::O_RDONLY | libc::O_DIRECTORY, 41);
    let socket = std::os::unix::net::UnixDatagram::unbound().expect("a socket can be made");
    socket.connect(facts.outside("log.sock")).expect("the host listens");
    let _kept = call(libc::SYS_dup3, &[bits(std::os::fd::AsRawFd::as_raw_fd(&socket)), 42, 0]);
    let failed = Command::new(&words[split + 1]).args(&words[split + 2..]).exec();
    println!("cannot start {}: {failed}", words[split + 1]);
}

fn leak(path: &str, flags: i32, number: i32) {
    let path = c(path);
    // SAFETY: plain calls on a path of ours; the descriptor is meant to stay open.
    unsafe { libc::dup2(libc::open(path.as_ptr(), flags), number) };
}
