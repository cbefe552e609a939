//! Attacks that read what is not theirs in ways a shell does not know.

use crate::call::{at, bits, c, call, here, of, open, opened, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::fs;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("environ", |f| told(f, "environ", "VICTIM_SECRET")),
    ("cmdline", |f| told(f, "cmdline", "victim")),
    ("maps", |f| told(f, "maps", "attacker")),
    ("status", |f| told(f, "status", "Pid:")),
    ("fd", |f| {
        let descriptor = format!("/proc/{}/fd/{}", f.victim(), f.text("FD"));
        works("the victim's open file", open(&descriptor, libc::O_RDONLY))
    }),
    ("cwd", |f| works("a file by the victim's directory", open(&format!("/proc/{}/cwd/victim", f.victim()), libc::O_RDONLY))),
    ("root", |f| {
        works("a file by the victim's root", open(&format!("/proc/{}/root{}", f.victim(), f.outside("victim")), libc::O_RDONLY))
    }),
    ("namespaces", |f| opened(&[&format!("/proc/{}/ns/net", f.victim())], libc::O_RDONLY)),
    ("init-environ", |_| {
        // Whoever is first in a session of its own has nothing to tell.
        let text = fs::read("/proc/1/environ").unwrap_or_default();
        if text.is_empty() { Vec::new() } else { vec!["the environment of process 1".to_owned()] }
    }),
    ("init-root", |f| {
        works("a file by the first process", open(&format!("/proc/1/root{}", f.outside("victim")), libc::O_RDONLY))
    }),
    ("launcher-environ", |_| {
        let parent = call(libc::SYS_getppid, &[]).unwrap_or(0);
        let text = fs::read(format!("/proc/{parent}/environ")).unwrap_or_default();
        if text.is_empty() { Vec::new() } else { vec!["the launcher's environment".to_owned()] }
    }),
    ("process-list", |f| {
        let pid = f.text("VICTIM");
        let listed = fs::read_dir("/proc").is_ok_and(|all| all.flatten().any(|entry| entry.file_name() == pid));
        if listed && told(f, "cmdline", "victim").len() == 1 {
            vec!["the host's processes are listed".to_owned()]
        } else {
            Vec::new()
        }
    }),
    ("watch", |f| {
        let path = c(&f.outside("other-session"));
        let watched =
            call(libc::SYS_inotify_init1, &[0]).and_then(|fd| call(libc::SYS_inotify_add_watch, &[fd, at(&path), 0x3ff]));
        works("another session's directory is watched", watched)
    }),
    ("existence", |f| {
        let path = c(&f.outside("other-session/secret.txt"));
        works("another session's file is known to exist", call(libc::SYS_faccessat, &[here(), at(&path), 0]))
    }),
    ("stat-outside", |f| {
        let path = c(&f.outside("other-session/secret.txt"));
        works("another session's file is measured", call(libc::SYS_newfstatat, &[here(), at(&path), of(&mut [0_u8; 144]), 0]))
    }),
    ("path-descriptor", |f| works("another session's file is named", open(&f.outside("other-session/secret.txt"), libc::O_PATH))),
    ("change-directory", |f| works("another session entered", call(libc::SYS_chdir, &[at(&c(&f.outside("other-session")))]))),
    ("execute-outside", |f| {
        let path = c(&f.outside("home/.local/bin/tool"));
        works("a program of the home runs", call(libc::SYS_faccessat, &[here(), at(&path), 1]))
    }),
    ("open-how", |f| {
        let (path, how) = (c(&f.outside("other-session/secret.txt")), [0_u64, 0, 0]);
        works("opened by openat2", call(libc::SYS_openat2, &[here(), at(&path), of(&how), 24]))
    }),
    ("read-shadow", |_| opened(&["/etc/shadow", "/etc/gshadow"], libc::O_RDONLY)),
    ("list-root-home", |_| listed("/root")),
    ("mounts", |f| {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let named = table.lines().any(|line| line.contains(f.text("OUT")));
        let _ = named;
        if table.lines().any(|line| line.split(' ').nth(4) == Some("/sys/fs/cgroup")) {
            vec!["the host's mounts".to_owned()]
        } else {
            Vec::new()
        }
    }),
    ("launcher-mem", |_| {
        let parent = call(libc::SYS_getppid, &[]).unwrap_or(0);
        opened(&[&format!("/proc/{parent}/mem")], libc::O_RDONLY)
    }),
    ("launcher-fd", |_| {
        let parent = call(libc::SYS_getppid, &[]).unwrap_or(0);
        if parent == 0 { Vec::new() } else { listed(&format!("/proc/{parent}/fd")) }
    }),
    ("keyboard", |_| opened(&["/dev/input/event0", "/dev/tty1", "/dev/vcs1"], bits(libc::O_RDONLY) as i32)),
];

fn told(facts: &Facts, file: &str, what: &str) -> Vec<String> {
    let text = fs::read(format!("/proc/{}/{file}", facts.victim())).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // Another process may have the victim's number in here: only the victim's own words count.
    let is_victims = |pid: &str| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains("attacker\0victim"))
    };
    if text.contains(what) && is_victims(facts.text("VICTIM")) { vec![format!("the victim's {file}")] } else { Vec::new() }
}

fn listed(path: &str) -> Vec<String> {
    let count = fs::read_dir(path).map_or(0, Iterator::count);
    if count == 0 { Vec::new() } else { vec![format!("{path} is listed: {count} entries")] }
}
