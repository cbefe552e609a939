//! Attacks on terminals: the operator's, other people's, and the machine's.

use crate::call::{at, c, call, of, open, opened, passes, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::os::unix::fs::MetadataExt;

const TIOCSTI: usize = 0x5412;
const TIOCLINUX: usize = 0x541C;
const TIOCSETD: usize = 0x5423;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("inject", |_| inject(TIOCSTI)),
    ("inject-high-bits", |_| inject(TIOCSTI | 1 << 32)),
    ("console-selection", |_| own_terminal(TIOCLINUX)),
    ("line-discipline", |_| own_terminal(TIOCSETD)),
    ("line-discipline-high-bits", |_| own_terminal(TIOCSETD | 1 << 32)),
    ("write-other", |f| {
        let fd = open(f.text("PTS"), libc::O_WRONLY | libc::O_NOCTTY);
        works("written to another terminal", fd.and_then(|fd| call(libc::SYS_write, &[fd, of(b"HOSTILE"), 7])))
    }),
    ("read-other", |f| works("another terminal opened for reading", open(f.text("PTS"), libc::O_RDONLY | libc::O_NOCTTY))),
    ("chmod-other", |f| works("another terminal opened to all", call(libc::SYS_chmod, &[at(&c(f.text("PTS"))), 0o666]))),
    ("hosts-terminals", hosts_terminals),
    ("consoles", |_| opened(&["/dev/tty0", "/dev/tty1", "/dev/console", "/dev/ttyS0"], libc::O_WRONLY)),
    ("screens", |_| opened(&["/dev/vcs", "/dev/vcs1", "/dev/vcsa1", "/dev/vcsu1"], libc::O_RDONLY)),
];

/// Pushes a word into the input of every terminal that it has.
fn inject(request: usize) -> Vec<String> {
    let controlling = open("/dev/tty", libc::O_RDWR);
    for fd in [0, 1, 2].into_iter().chain(controlling) {
        for byte in b"HOSTILE\n" {
            let _pushed = call(libc::SYS_ioctl, &[fd, request, of(byte)]);
        }
    }
    Vec::new() // Whoever reads from the terminal afterwards sees it.
}

/// Asks a terminal of its own, so that what refuses is the sandbox, or the nonsense in the arguments.
fn own_terminal(request: usize) -> Vec<String> {
    let fd = open("/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY);
    passes("a dangerous request to a terminal", fd.and_then(|fd| call(libc::SYS_ioctl, &[fd, request, of(&99_i32)])))
}

fn hosts_terminals(facts: &Facts) -> Vec<String> {
    let same = std::fs::metadata("/dev/pts").is_ok_and(|pts| pts.dev().to_string() == facts.text("PTSDEV"));
    if same { vec!["/dev/pts is the host's".to_owned()] } else { Vec::new() }
}
