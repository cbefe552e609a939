//! Trees of many processes: how many there may be, and that none is left.

use crate::acts::playing;
use crate::bounded::{groups_of, limited, start};
use crate::session::{Session, wait_until};
use capstan_types::control::Request;
use capstan_types::launch::{SessionEnd, SessionLimit};
use std::time::{Duration, Instant};

/// In which time a tree of thousands is gone: two seconds, and as much more as the machine is slower by what else it does, which making
/// a hundred processes tells.
#[expect(unsafe_code, reason = "std makes no processes without a program")]
fn soon() -> Duration {
    let begun = Instant::now();
    for _ in 0..100 {
        // SAFETY: the child only exits; the parent waits for it alone.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(0);
            }
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
    }
    let alone = Duration::from_millis(15);
    Duration::from_secs(2).mul_f64((begun.elapsed().as_secs_f64() / alone.as_secs_f64()).max(1.0))
}

/// How long a bomb may grow before it is noticed where no cgroup holds it.
const GROWTH: Duration = Duration::from_secs(1);

/// How many processes there are below the holder, dead ones that nobody has waited for included.
fn descendants(session: &Session) -> usize {
    let mut found = vec![session.holder.process.id()];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
        }
        next += 1;
    }
    found.len() - 1
}

fn nothing_is_left(session: &Session) {
    assert_eq!(descendants(session), 0, "somebody got away");
    wait_until("the removal of the groups", || groups_of(session.holder.process.id()).is_empty());
}

#[test]
fn a_fork_bomb_reaches_the_limit_of_processes_and_is_gone_at_once() {
    for cgroups in [true, false] {
        let session = start(limited(playing("bomb 3000"), |limits| limits.processes = Some(200)), cgroups);
        let begun = Instant::now();
        assert_eq!(session.attach(0).read_to_end().end, SessionEnd::Limit(SessionLimit::Processes), "cgroups: {cgroups}");
        let took = begun.elapsed();
        assert!(took < soon() + GROWTH, "cgroups: {cgroups}: {took:?}");
        nothing_is_left(&session);
    }
}

#[test]
fn thousands_of_processes_are_killed_within_two_seconds() {
    for cgroups in [true, false] {
        let session = start(limited(playing("bomb 3000"), |limits| limits.processes = None), cgroups);
        let mut client = session.attach(0);
        client.until("act: bomb ok\n");
        wait_until("the whole bomb", || descendants(&session) >= 2990);
        let begun = Instant::now();
        client.send(&Request::Kill { by: "a test".into() });
        assert_eq!(client.read_to_end().end, SessionEnd::Killed { by: "a test".into() });
        let took = begun.elapsed();
        assert!(took < soon(), "cgroups: {cgroups}: {took:?}");
        nothing_is_left(&session);
    }
}

#[test]
fn children_daemons_and_zombies_that_a_program_leaves_are_gone_with_it() {
    for cgroups in [true, false] {
        let session = start(playing("litter"), cgroups);
        let mut client = session.attach(0);
        client.until("act: litter ok\n");
        let begun = Instant::now();
        assert_eq!(client.read_to_end().end, SessionEnd::Exited { code: 0 });
        let took = begun.elapsed();
        assert!(took < soon(), "cgroups: {cgroups}: {took:?}");
        nothing_is_left(&session);
    }
}
