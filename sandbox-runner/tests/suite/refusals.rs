//! A host that cannot enforce the policy starts nothing.

use crate::session::{Launch, in_child, runner};
use capstan_types::launch::{LaunchAnswer, Refusal};
use capstan_types::node::Fingerprint;
use capstan_types::policy::SandboxPolicy;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::process::Command;

#[cfg(target_arch = "x86_64")]
const MAKE_DIRECTORY: i64 = libc::SYS_mkdir;
#[cfg(not(target_arch = "x86_64"))]
const MAKE_DIRECTORY: i64 = libc::SYS_mkdirat;

/// Starts the runner on a kernel that answers `errno` to `call`.
pub(crate) fn without(command: &mut Command, call: i64, errno: i32) {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new([(call, Vec::new())].into(), SeccompAction::Allow, answer, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    in_child(command, move || seccompiler::apply_filter(&program).map_err(std::io::Error::other));
}

fn refused(launch: Launch, call: i64, errno: i32) -> Refusal {
    match launch.answer_of(|command| without(command, call, errno)).0 {
        LaunchAnswer::Refused(refusal) => refusal,
        LaunchAnswer::Started { .. } => panic!("it was started"),
    }
}

#[test]
fn a_kernel_without_landlock_runs_nothing_but_what_wants_no_sandbox() {
    for errno in [libc::ENOSYS, libc::EOPNOTSUPP] {
        match refused(Launch::new(&["true"]), libc::SYS_landlock_create_ruleset, errno) {
            Refusal::CannotEnforce { missing, remedy } => {
                assert!(missing.contains("Landlock") && remedy.contains("lsm="), "{missing}: {remedy}");
            }
            other => panic!("{other:?}"),
        }
    }
    let free = Launch::new(&["true"]).policy(SandboxPolicy::full_access());
    let (answer, _holder) = free.answer_of(|command| without(command, libc::SYS_landlock_create_ruleset, libc::ENOSYS));
    assert!(matches!(answer, LaunchAnswer::Started { .. }));
}

#[test]
fn a_restriction_that_fails_in_the_child_stops_the_start() {
    for (call, named) in [(libc::SYS_landlock_restrict_self, "Landlock"), (libc::SYS_landlock_add_rule, "Landlock rule")] {
        let said = refused(Launch::new(&["true"]), call, libc::E2BIG).to_string();
        assert!(said.contains(named), "{said}");
    }
    let said = refused(Launch::new(&["true"]), libc::SYS_capset, libc::EPERM).to_string();
    assert!(said.contains("drop capabilities"), "{said}");
}

#[test]
fn run_refuses_as_hold_does() {
    let mut command = runner("run");
    command.args(["--", "true"]);
    without(&mut command, libc::SYS_landlock_create_ruleset, libc::ENOSYS);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8(output.stderr).unwrap().contains("Landlock is missing"));
}

#[test]
fn the_probe_finds_by_trying() {
    let probe = |prepare: &dyn Fn(&mut Command)| -> Fingerprint {
        let mut command = runner("probe");
        prepare(&mut command);
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let found = probe(&|_| {});
    assert!(found.landlock_abi.is_some() && found.seccomp);
    assert_eq!(found.arch, std::env::consts::ARCH);
    assert!(!found.kernel.is_empty());
    assert_eq!(probe(&|command| without(command, libc::SYS_landlock_create_ruleset, libc::ENOSYS)).landlock_abi, None);
    assert!(probe(&|command| without(command, libc::SYS_unshare, libc::EPERM)).namespaces.is_empty());
    assert!(probe(&|command| without(command, MAKE_DIRECTORY, libc::EACCES)).cgroups.is_empty());
}
