//! The `probe` verb: what this host can enforce, found by trying.
//!
//! Versions and configuration say what a kernel might do; a container's filters, a policy of the distribution or a missing right may say
//! otherwise. So each answer is that of the call itself, made in a child where it leaves something behind.
#![expect(unsafe_code, reason = "the calls to be tried have no safe form in the standard library")]

mod cgroups;

use crate::kernel::process::{self, ExitStatus};
use capstan_types::node::Fingerprint;
use std::fs;

/// The namespaces by their names in `/proc/self/ns`, and the flags that make them.
const NAMESPACES: [(&str, libc::c_int); 8] = [
    ("cgroup", libc::CLONE_NEWCGROUP),
    ("ipc", libc::CLONE_NEWIPC),
    ("mnt", libc::CLONE_NEWNS),
    ("net", libc::CLONE_NEWNET),
    ("pid", libc::CLONE_NEWPID),
    ("time", 0x80),
    ("user", libc::CLONE_NEWUSER),
    ("uts", libc::CLONE_NEWUTS),
];

/// Asks for the version instead of making a ruleset.
const CREATE_RULESET_VERSION: libc::c_uint = 1;

/// The fingerprint as JSON.
pub(crate) fn document() -> String {
    // A struct of plain fields, which serde_json always writes.
    serde_json::to_string(&fingerprint()).unwrap_or_default()
}

fn fingerprint() -> Fingerprint {
    Fingerprint {
        landlock_abi: landlock_abi(),
        seccomp: in_child(attaches_filter),
        namespaces: NAMESPACES.into_iter().filter(|(_, flag)| can_unshare(*flag)).map(|(name, _)| name.to_owned()).collect(),
        cgroups: cgroups::writable(),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        root: process::user() == 0,
        // What a session reaches is known once there has been one: see the node.
        ..Fingerprint::default()
    }
}

/// The Landlock ABI of the kernel; none when it is missing, off, or kept from us.
pub(crate) fn landlock_abi() -> Option<u32> {
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the kernel reads no attributes.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, CREATE_RULESET_VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// Whether `attempt` succeeds in a process of its own.
fn in_child(attempt: impl FnOnce() -> bool) -> bool {
    match process::fork() {
        Ok(None) => process::end(i32::from(!attempt())),
        Ok(Some(pid)) => process::wait_for(pid).is_ok_and(|status| status == ExitStatus::Code(0)),
        Err(_) => false,
    }
}

fn attaches_filter() -> bool {
    // Allows everything: return, constant.
    seccompiler::apply_filter(&[seccompiler::sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }]).is_ok()
}

/// Whether the namespace can be made: as this user, or else inside a user namespace of its own.
fn can_unshare(flag: libc::c_int) -> bool {
    [flag, flag | libc::CLONE_NEWUSER].into_iter().any(|flags| {
        in_child(|| {
            // SAFETY: takes an integer.
            unsafe { libc::unshare(flags) == 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_fails_or_dies_is_a_no() {
        assert!(in_child(|| true));
        assert!(!in_child(|| false));
        assert!(!in_child(|| {
            // SAFETY: ends the child.
            unsafe { libc::abort() }
        }));
    }
}
