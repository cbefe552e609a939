//! Sessions with limits, held by cgroups or where there are none.

use crate::session::{Holder, Launch, Session};
use capstan_types::launch::LaunchAnswer;
use capstan_types::limits::SessionLimits;
use std::path::PathBuf;
use std::process::Command;

#[expect(unsafe_code, reason = "std has no mounts")]
fn cover_cgroups() -> std::io::Result<()> {
    // SAFETY: the strings are live and end in a zero; the mount lies in a namespace of this process.
    let failed = unsafe {
        libc::geteuid() == 0
            && (libc::unshare(libc::CLONE_NEWNS) < 0
                || libc::mount(
                    c"none".as_ptr(),
                    c"/".as_ptr(),
                    std::ptr::null(),
                    libc::MS_REC | libc::MS_PRIVATE,
                    std::ptr::null(),
                ) < 0
                || libc::mount(c"none".as_ptr(), c"/sys/fs/cgroup".as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null()) < 0)
    };
    if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Fails without the right to make groups, which the tests of them need.
pub(crate) fn need_cgroups(enforced: &capstan_types::launch::Enforced) {
    let said = enforced.limits.join(", ");
    assert!(said.contains("(cgroup "), "this test needs cgroups, and none can be made here ({said}): run it as root");
}

/// Takes the groups away from a runner to be. Where it is not root, there is none to take: only delegated ones are ever made.
pub(crate) fn without_cgroups(command: &mut Command) {
    crate::session::in_child(command, cover_cgroups);
}

/// The groups that are named after the process `pid`.
pub(crate) fn groups_of(pid: u32) -> Vec<PathBuf> {
    let part = format!("-{pid}-");
    let mut places = vec![PathBuf::from("/sys/fs/cgroup")];
    let mut found = Vec::new();
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten().filter(|it| it.file_type().unwrap().is_dir()) {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with("capstan-") && name.contains(&part) {
                found.push(entry.path())
            } else {
                places.push(entry.path())
            }
        }
    }
    found
}

pub(crate) fn limited(mut launch: Launch, change: impl FnOnce(&mut SessionLimits)) -> Launch {
    change(&mut launch.spec.limits);
    launch
}

/// Starts a session by cgroups, or where there are none.
pub(crate) fn start(launch: Launch, cgroups: bool) -> Session {
    if cgroups {
        let session = launch.start();
        need_cgroups(&session.enforced);
        return session;
    }
    match launch.answer_of(without_cgroups) {
        (LaunchAnswer::Started { pid, enforced, .. }, holder) => {
            assert!(!enforced.limits.join(" ").contains("cgroup"), "{:?}", enforced.limits);
            Session { pid, enforced, holder }
        }
        (refused @ LaunchAnswer::Refused(_), Holder { .. }) => panic!("{refused:?}"),
    }
}

#[expect(unsafe_code, reason = "std does not tell the user")]
pub(crate) fn am_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
